// A bag of so many files that nobody keeps. Each of them, bench/million/v1/data/NNNN/page-NNNNNNN.jp2 of the bucket
// "src", holds its own path in the bag. Every other bucket shows those that were put there: their bytes are compared,
// and one bit is kept of each.
static long made_up_files = 0;
static unsigned char *made_up_there;
#define MADE_UP_ROOT "bench/million/v1/"
#define MADE_UP_MOST 10000000L

static void make_up(long files) {
    made_up_files = files > MADE_UP_MOST ? MADE_UP_MOST : files;
    made_up_there = calloc(made_up_files / 8 + 1, 1);
}

static void made_up_key(long n, char *out) {
    sprintf(out, MADE_UP_ROOT "data/%04ld/page-%07ld.jp2", n / 1000, n);
}

// The file of that key, from 0; -1 where the bag has none.
static long made_up_number(const char *key) {
    char again[128];
    const char *page = made_up_files ? strstr(key, "/page-") : 0;
    long n = page ? atol(page + 6) : -1;
    if (n < 0 || n >= made_up_files)
        return -1;
    made_up_key(n, again);
    return strcmp(key, again) ? -1 : n;
}

static int made_up_is_at(const char *bucket, long n) {
    return !strcmp(bucket, "src") || (__atomic_load_n(&made_up_there[n / 8], __ATOMIC_RELAXED) >> (n % 8) & 1);
}

// So many of those behind `after` whose keys begin with prefix, in order.
static void list_made_up(Listing *l, const char *bucket, const char *prefix, const char *after, int most) {
    char k[128];
    long low = 0, high = made_up_files;
    while (low < high) {
        long middle = (low + high) / 2;
        made_up_key(middle, k);
        if (strcmp(k, after) <= 0 || strcmp(k, prefix) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < made_up_files && most; low++) {
        made_up_key(low, k);
        if (strncmp(k, prefix, strlen(prefix)))
            return;
        if (!made_up_is_at(bucket, low))
            continue;
        struct stat st = {.st_size = strlen(k) - strlen(MADE_UP_ROOT)};
        add_entry(l, k, &st, 0, "");
        snprintf(l->e[l->n - 1].et, sizeof l->e[0].et, "%032ld", low);
        most--;
    }
}

// Reads what is put at key number n; the status to answer, or -1 where the client has gone.
static int put_made_up(Connection *c, long n, const char *key, long long length, int chunked, int only_new) {
    static __thread int inbox = -1;
    char got[128];
    const char *path = key + strlen(MADE_UP_ROOT);
    if (inbox < 0)
        inbox = memfd_create("inbox", 0);
    if (ftruncate(inbox, 0) || lseek(inbox, 0, SEEK_SET))
        return -1;
    if (body(c, length, chunked, inbox) < 0)
        return -1;
    ssize_t size = pread(inbox, got, sizeof got, 0);
    if (size != (ssize_t)strlen(path) || memcmp(got, path, size)) {
        fprintf(stderr, "other bytes than those of %s\n", key);
        return 400;
    }
    unsigned char bit = 1 << (n % 8);
    int was = __atomic_fetch_or(&made_up_there[n / 8], bit, __ATOMIC_RELAXED) & bit;
    return was && only_new ? 412 : 200;
}

// GET and HEAD.
static int send_made_up(int fd, long n, const char *key, int head, int azure) {
    char all[1024];
    const char *path = key + strlen(MADE_UP_ROOT);
    int size = snprintf(all, sizeof all,
                        "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nContent-Type: application/octet-stream\r\n"
                        "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nETag: \"%s%032ld\"\r\n%s\r\n%s",
                        strlen(path), azure ? "0x8DC" : "", n,
                        azure ? "x-ms-blob-type: BlockBlob\r\nx-ms-request-id: 1\r\nx-ms-version: 2021-12-02\r\n"
                              : "x-amz-request-id: 1\r\n",
                        head ? "" : path);
    return send_all(fd, all, size, 0);
}
