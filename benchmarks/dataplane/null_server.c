// An object store that costs next to nothing, so that a benchmark shows its clients: S3 and Azure Blob over HTTP/1.1.
//   null_server ADDRESS PORT ROOT [FILES]
// GET sends the file ROOT/<bucket>/<key> with sendfile. PUT of a key that the bucket "src" has takes the bytes off the
// socket without looking at them (MSG_TRUNC), compares their number, and makes a hard link to that file, so that
// reading back gives the true bytes. It counts requests (GET /_counts, /_reset) and can add a delay to each
// (GET /_delay=20, milliseconds). Paths that begin with /devstoreaccount1 are Azure, all others S3. One thread for
// each connection; it checks neither signatures nor what was uploaded: a benchmark, not a store. With FILES it has a bag
// of so many besides (made_up.h).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
static char root[512];
static pthread_mutex_t upload_lock = PTHREAD_MUTEX_INITIALIZER;
static long next_upload = 1;
#define UPLOADS 4096
static long long upload_bytes[UPLOADS];
static long counts[8];
static int delay_us = 0;

// Every directory that the path names, like mkdir -p of its parent.
static void make_directories(char *p) {
    for (char *s = p + 1; *s; s++)
        if (*s == '/') {
            *s = 0;
            mkdir(p, 0755);
            *s = '/';
        }
}

static void url_decode(char *s) {
    char *o = s;
    while (*s) {
        if (*s == '%' && s[1] && s[2]) {
            char h[3] = {s[1], s[2], 0};
            *o++ = strtol(h, 0, 16);
            s += 3;
        } else
            *o++ = *s++;
    }
    *o = 0;
}

typedef struct {
    int fd;
    char buf[65536];
    int len;
} Connection;

// Reads more from the socket behind what is buffered; -1 where the peer has gone.
static int fill(Connection *c) {
    int n = recv(c->fd, c->buf + c->len, sizeof c->buf - 1 - c->len, 0);
    if (n <= 0)
        return -1;
    c->len += n;
    c->buf[c->len] = 0;
    return n;
}

static int send_all(int fd, const char *b, size_t n, int fl) {
    while (n) {
        ssize_t k = send(fd, b, n, fl | MSG_NOSIGNAL);
        if (k <= 0)
            return -1;
        b += k;
        n -= k;
    }
    return 0;
}

// Copies a header into out; names are compared without case. 0 where there is none.
static char *header(char *h, const char *name, char *out, int cap) { // case-insens search
    int nl = strlen(name);
    char *p = h;
    out[0] = 0;
    while ((p = strstr(p, "\r\n"))) {
        p += 2;
        if (!strncasecmp(p, name, nl) && p[nl] == ':') {
            p += nl + 1;
            while (*p == ' ')
                p++;
            char *e = strstr(p, "\r\n");
            int n = e ? e - p : 0;
            if (n >= cap)
                n = cap - 1;
            memcpy(out, p, n);
            out[n] = 0;
            return out;
        }
    }
    return 0;
}

// Copies a decoded query parameter into out; 0 where it is not there at all.
static int query_value(const char *q, const char *name, char *out, int cap) {
    int nl = strlen(name);
    const char *p = q;
    out[0] = 0;
    while (p && *p) {
        if (!strncmp(p, name, nl) && (p[nl] == '=' || p[nl] == '&' || p[nl] == 0)) {
            if (p[nl] == '=') {
                p += nl + 1;
                int i = 0;
                while (*p && *p != '&' && i < cap - 1)
                    out[i++] = *p++;
                out[i] = 0;
                for (char *s = out; *s; s++)
                    if (*s == '+')
                        *s = ' ';
                url_decode(out);
            }
            return 1;
        }
        p = strchr(p, '&');
        if (p)
            p++;
    }
    return 0;
}

// The MD5 that was noted with the file, or zeros.
static void read_etag(const char *path, char *out) {
    char v[64];
    int n = getxattr(path, "user.md5", v, 63);
    if (n > 0) {
        v[n] = 0;
        strcpy(out, v);
    } else
        strcpy(out, "00000000000000000000000000000000");
}

// A whole answer with a short body.
static int respond(int fd, int code, const char *extra, const char *body, int azure) {
    char h[2048];
    int bl = body ? strlen(body) : 0;
    int n = snprintf(h, sizeof h, "HTTP/1.1 %d X\r\nContent-Length: %d\r\n%s%s\r\n", code, bl, extra ? extra : "",
                     azure ? "x-ms-request-id: 1\r\nx-ms-version: 2021-12-02\r\n" : "x-amz-request-id: 1\r\n");
    char *all = malloc(n + bl + 1);
    memcpy(all, h, n);
    if (bl)
        memcpy(all + n, body, bl);
    int r = send_all(fd, all, n + bl, 0);
    free(all);
    return r;
}

static void http_date(time_t t, char *o) {
    struct tm m;
    gmtime_r(&t, &m);
    strftime(o, 64, "%a, %d %b %Y %H:%M:%S GMT", &m);
}

static void iso_date(time_t t, char *o) {
    struct tm m;
    gmtime_r(&t, &m);
    strftime(o, 64, "%Y-%m-%dT%H:%M:%S.000Z", &m);
}

static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void hex_to_base64(const char *hx, char *o) {
    unsigned char b[16];
    for (int i = 0; i < 16; i++) {
        char t[3] = {hx[2 * i], hx[2 * i + 1], 0};
        b[i] = strtol(t, 0, 16);
    }
    int j = 0;
    for (int i = 0; i < 16; i += 3) {
        int r = 16 - i;
        unsigned v = b[i] << 16 | (r > 1 ? b[i + 1] << 8 : 0) | (r > 2 ? b[i + 2] : 0);
        o[j++] = BASE64[v >> 18];
        o[j++] = BASE64[v >> 12 & 63];
        o[j++] = r > 1 ? BASE64[v >> 6 & 63] : '=';
        o[j++] = r > 2 ? BASE64[v & 63] : '=';
    }
    o[j] = 0;
}

// body: discard or store. returns bytes or -1
static long long body(Connection *c, long long length, int chunked, int outfd) {
    if (!chunked) {
        long long left = length;
        int k = c->len < left ? c->len : left;
        if (outfd >= 0 && k)
            if (write(outfd, c->buf, k) < 0)
                return -1;
        memmove(c->buf, c->buf + k, c->len - k);
        c->len -= k;
        left -= k;
        static __thread char tmp[1 << 18];
        while (left) {
            ssize_t n;
            if (outfd < 0)
                n = recv(c->fd, NULL, left > (1 << 22) ? 1 << 22 : left, MSG_TRUNC);
            else {
                n = recv(c->fd, tmp, left > sizeof tmp ? sizeof tmp : left, 0);
                if (n > 0 && write(outfd, tmp, n) < 0)
                    return -1;
            }
            if (n <= 0)
                return -1;
            left -= n;
        }
        return length;
    }
    long long tot = 0;
    for (;;) {
        char *e;
        c->buf[c->len] = 0;
        while (!(e = strstr(c->buf, "\r\n"))) {
            if (fill(c) < 0)
                return -1;
        }
        long long sz = strtoll(c->buf, 0, 16);
        int hl = e + 2 - c->buf;
        memmove(c->buf, c->buf + hl, c->len - hl);
        c->len -= hl;
        c->buf[c->len] = 0;
        if (sz == 0) {
            while (!(e = strstr(c->buf, "\r\n")))
                if (fill(c) < 0)
                    return -1;
            memmove(c->buf, c->buf + 2, c->len - 2);
            c->len -= 2;
            c->buf[c->len] = 0;
            return tot;
        }
        tot += sz;
        if (body(c, sz, 0, outfd) < 0)
            return -1;
        while (c->len < 2)
            if (fill(c) < 0)
                return -1;
        memmove(c->buf, c->buf + 2, c->len - 2);
        c->len -= 2;
        c->buf[c->len] = 0;
    }
}

typedef struct {
    char *k;
    long long sz;
    time_t mt;
    char et[64];
    int pre;
} Entry;

typedef struct {
    Entry *e;
    int n, cap;
} Listing;

static void add_entry(Listing *l, const char *k, struct stat *st, int pre, const char *path) {
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 256;
        l->e = realloc(l->e, l->cap * sizeof(Entry));
    }
    Entry *e = &l->e[l->n++];
    e->k = strdup(k);
    e->pre = pre;
    if (!pre) {
        e->sz = st->st_size;
        e->mt = st->st_mtime;
        read_etag(path, e->et);
    }
}

// All files below a directory whose keys begin with prefix; with delim, only one level of them.
static void list_directory(Listing *l, const char *base, const char *rel, const char *prefix, int delim) {
    char p[2048];
    snprintf(p, sizeof p, "%s/%s", base, rel);
    DIR *d = opendir(p);
    if (!d)
        return;
    struct dirent *de;
    int pl = strlen(prefix);
    while ((de = readdir(d))) {
        if (de->d_name[0] == '.')
            continue;
        char k[1024], f[3072];
        snprintf(k, sizeof k, "%s%s", rel, de->d_name);
        snprintf(f, sizeof f, "%s/%s", base, k);
        struct stat st;
        if (stat(f, &st))
            continue;
        if (S_ISDIR(st.st_mode)) {
            strcat(k, "/");
            int kl = strlen(k);
            if (!strncmp(k, prefix, kl < pl ? kl : pl)) {
                if (delim && kl > pl)
                    add_entry(l, k, 0, 1, 0);
                else
                    list_directory(l, base, k, prefix, delim);
            }
        } else if (!strncmp(k, prefix, pl))
            add_entry(l, k, &st, 0, f);
    }
    closedir(d);
}

#include "made_up.h"

static int by_key(const void *a, const void *b) {
    return strcmp(((Entry *)a)->k, ((Entry *)b)->k);
}

// Requests of one connection, one after the other: control, uploads, deletes, lists, then reads.
static void *serve_connection(void *arg) {
    Connection *c = calloc(1, sizeof(Connection));
    c->fd = (int)(long)arg;
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    char *H = malloc(65536);
    for (;;) {
        char *e;
        c->buf[c->len] = 0;
        while (!(e = strstr(c->buf, "\r\n\r\n"))) {
            if (c->len >= (int)sizeof c->buf - 1 || fill(c) < 0)
                goto out;
        }
        int hl = e + 4 - c->buf;
        memcpy(H, c->buf, hl);
        H[hl] = 0;
        memmove(c->buf, c->buf + hl, c->len - hl);
        c->len -= hl;
        c->buf[c->len] = 0;
        char m[16], url[4096];
        if (sscanf(H, "%15s %4095s", m, url) != 2)
            goto out;
        char t[256];
        long long length = header(H, "content-length", t, sizeof t) ? atoll(t) : 0;
        int chunked = header(H, "transfer-encoding", t, sizeof t) && strcasestr(t, "chunked");
        if (!strncmp(url, "/_", 2)) {
            if (!strncmp(url, "/_delay=", 8))
                delay_us = 1000 * atof(url + 8);
            char b[256];
            snprintf(b, 256, "{\"GET\":%ld,\"HEAD\":%ld,\"PUT\":%ld,\"POST\":%ld,\"DELETE\":%ld,\"LIST\":%ld}\n",
                     counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]);
            if (!strncmp(url, "/_reset", 7))
                memset(counts, 0, sizeof counts);
            respond(c->fd, 200, 0, b, 0);
            continue;
        }
        if (delay_us)
            usleep(delay_us);
        char *q = strchr(url, '?');
        if (q)
            *q++ = 0;
        else
            q = "";
        url_decode(url);
        int azure = !strncmp(url, "/devstoreaccount1", 17);
        char *p = azure ? url + 17 : url;
        while (*p == '/')
            p++;
        char bucket[256] = "", key[2048] = "";
        char *s = strchr(p, '/');
        if (s) {
            snprintf(bucket, sizeof bucket, "%.*s", (int)(s - p), p);
            snprintf(key, sizeof key, "%s", s + 1);
        } else
            snprintf(bucket, sizeof bucket, "%s", p);
        char path[4096], source_path[4096], v[512];
        snprintf(path, sizeof path, "%s/%s/%s", root, bucket, key);
        snprintf(source_path, sizeof source_path, "%s/src/%s", root, key);
        __atomic_add_fetch(&counts[!strcmp(m, "GET")    ? (key[0] ? 0 : 5)
                                   : !strcmp(m, "HEAD") ? 1
                                   : !strcmp(m, "PUT")  ? 2
                                   : !strcmp(m, "POST") ? 3
                                                        : 4],
                           1, __ATOMIC_RELAXED);
        if (header(H, "expect", t, sizeof t) && c->len == 0)
            send_all(c->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, 0);
        struct stat st;
        char ex[1024], dt[64], et[64];
        long made_up = made_up_number(key);
        if (made_up >= 0 && !strcmp(m, "PUT")) {
            int told = put_made_up(c, made_up, key, length, chunked, header(H, "if-none-match", t, sizeof t) != 0);
            if (told < 0)
                goto out;
            snprintf(ex, sizeof ex, "ETag: \"%s%032ld\"\r\n", azure ? "0x8DC" : "", made_up);
            respond(c->fd, azure && told == 200 ? 201 : told, ex, 0, azure);
            continue;
        }
        if (made_up >= 0 && made_up_is_at(bucket, made_up) && (!strcmp(m, "GET") || !strcmp(m, "HEAD"))) {
            if (send_made_up(c->fd, made_up, key, !strcmp(m, "HEAD"), azure))
                goto out;
            continue;
        }
        if (!strcmp(m, "PUT") || !strcmp(m, "POST")) {
            int is_block = azure && query_value(q, "comp", v, sizeof v) && !strcmp(v, "block");
            int is_block_list = azure && query_value(q, "comp", t, sizeof t) && !strcmp(t, "blocklist");
            int is_part = !azure && query_value(q, "partNumber", t, sizeof t);
            int data = key[0] && !is_block_list && (!strcmp(m, "PUT"));
            int out = -1;
            char tmp[4200] = "";
            if (data && !is_block && !is_part && stat(source_path, &st) && (length || chunked)) {
                snprintf(tmp, sizeof tmp, "%s", path);
                make_directories(tmp);
                snprintf(tmp, sizeof tmp, "%s.%ld", path, random());
                out = open(tmp, O_CREAT | O_WRONLY | O_TRUNC, 0644);
            }
            long long n = body(c, length, chunked, out);
            if (out >= 0)
                close(out);
            if (n < 0)
                goto out;
            if (header(H, "x-amz-decoded-content-length", t, sizeof t))
                n = atoll(t);
            if (!key[0]) {
                snprintf(path, sizeof path, "%s/%s", root, bucket);
                mkdir(path, 0755);
                if (!strcmp(m, "POST") && !azure) {
                    respond(c->fd, 200, 0, "<DeleteResult/>", 0);
                    continue;
                }
                respond(c->fd, azure ? 201 : 200, 0, 0, azure);
                continue;
            }
            char cs[64];
            int is_copy = header(H, "x-amz-copy-source", cs, 64) != 0 || header(H, "x-ms-copy-source", cs, 64) != 0;
            if (!azure && !strcmp(m, "POST") && query_value(q, "uploads", t, sizeof t)) {
                pthread_mutex_lock(&upload_lock);
                long id = next_upload++;
                upload_bytes[id % UPLOADS] = 0;
                pthread_mutex_unlock(&upload_lock);
                char b[3072];
                snprintf(b, sizeof b,
                         "<?xml "
                         "version=\"1.0\"?><InitiateMultipartUploadResult><Bucket>%s</Bucket><Key>%s</"
                         "Key><UploadId>%ld</UploadId></InitiateMultipartUploadResult>",
                         bucket, key, id);
                respond(c->fd, 200, "Content-Type: application/xml\r\n", b, 0);
                continue;
            }
            if (is_part) {
                query_value(q, "uploadId", t, sizeof t);
                pthread_mutex_lock(&upload_lock);
                upload_bytes[atol(t) % UPLOADS] += n;
                pthread_mutex_unlock(&upload_lock);
                if (is_copy)
                    respond(c->fd, 200, 0,
                            "<CopyPartResult><ETag>\"1\"</ETag><LastModified>2026-01-01T00:00:00.000Z</LastModified></"
                            "CopyPartResult>",
                            0);
                else
                    respond(c->fd, 200, "ETag: \"11111111111111111111111111111111\"\r\n", 0, 0);
                continue;
            }
            if (is_block) {
                respond(c->fd, 201, 0, 0, 1);
                continue;
            }
            int is_other = azure && query_value(q, "comp", t, sizeof t) && !is_block_list;
            if (is_other) {
                respond(c->fd, 200, "ETag: \"1\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n", 0, 1);
                continue;
            }
            if (out >= 0)
                rename(tmp, path);
            else {
                if (stat(source_path, &st) == 0) {
                    if (!is_block_list && !is_copy && !(!azure && !strcmp(m, "POST")) && n != st.st_size) {
                        fprintf(stderr, "size mismatch %s %lld %ld\n", key, n, (long)st.st_size);
                        respond(c->fd, 500, 0, 0, azure);
                        continue;
                    }
                    if (!azure && !strcmp(m, "POST") && query_value(q, "uploadId", t, sizeof t) &&
                        upload_bytes[atol(t) % UPLOADS] && upload_bytes[atol(t) % UPLOADS] != st.st_size) {
                        fprintf(stderr, "mp size mismatch %s %lld\n", key, upload_bytes[atol(t) % UPLOADS]);
                        respond(c->fd, 500, 0, 0, azure);
                        continue;
                    }
                    if (link(source_path, path) && errno == ENOENT) {
                        make_directories(path);
                        link(source_path, path);
                    }
                } else if (length == 0 && !chunked) {
                    make_directories(path);
                    close(open(path, O_CREAT | O_WRONLY, 0644));
                }
            }
            read_etag(path, et);
            if (azure) {
                snprintf(ex, sizeof ex,
                         "ETag: \"0x8DC%s\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 "
                         "GMT\r\nx-ms-request-server-encrypted: false\r\n%s",
                         et, is_copy ? "x-ms-copy-id: 1\r\nx-ms-copy-status: success\r\n" : "");
                respond(c->fd, is_copy && !is_block_list ? 202 : 201, ex, 0, 1);
            } else if (!strcmp(m, "POST")) {
                char b[4096];
                snprintf(b, sizeof b,
                         "<?xml "
                         "version=\"1.0\"?><CompleteMultipartUploadResult><Bucket>%s</Bucket><Key>%s</"
                         "Key><ETag>\"%s-9\"</ETag></CompleteMultipartUploadResult>",
                         bucket, key, et);
                respond(c->fd, 200, "Content-Type: application/xml\r\n", b, 0);
            } else if (is_copy) {
                char b[512];
                snprintf(b, sizeof b,
                         "<CopyObjectResult><ETag>\"%s\"</ETag><LastModified>2026-01-01T00:00:00.000Z</LastModified></"
                         "CopyObjectResult>",
                         et);
                respond(c->fd, 200, 0, b, 0);
            } else {
                snprintf(ex, sizeof ex, "ETag: \"%s\"\r\n", et);
                respond(c->fd, 200, ex, 0, 0);
            }
            continue;
        }
        if (length || chunked) {
            if (body(c, length, chunked, -1) < 0)
                goto out;
        }
        if (!strcmp(m, "DELETE")) {
            unlink(path);
            respond(c->fd, azure ? 202 : 204, 0, 0, azure);
            continue;
        }
        if (!key[0]) { // bucket level
            if (!strcmp(m, "HEAD") || (azure && !query_value(q, "comp", t, sizeof t))) {
                http_date(time(0), dt);
                snprintf(ex, sizeof ex, "Date: %s\r\n%s", dt,
                         azure ? "ETag: \"1\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n" : "");
                respond(c->fd, 200, ex, 0, azure);
                continue;
            }
            if (!azure && query_value(q, "location", t, sizeof t)) {
                respond(c->fd, 200, 0, "<LocationConstraint/>", 0);
                continue;
            }
            char pre[1024], del[16], mk[1024], mx[32];
            query_value(q, "prefix", pre, sizeof pre);
            int d = query_value(q, "delimiter", del, sizeof del) && del[0];
            if (azure)
                query_value(q, "marker", mk, sizeof mk);
            else if (!query_value(q, "continuation-token", mk, sizeof mk) && !query_value(q, "marker", mk, sizeof mk))
                query_value(q, "start-after", mk, sizeof mk);
            int max = 1000;
            if (query_value(q, "max-keys", mx, sizeof mx) || query_value(q, "maxresults", mx, sizeof mx))
                max = atoi(mx);
            if (azure && max == 1000)
                max = 5000;
            char base[1024];
            snprintf(base, sizeof base, "%s/%s", root, bucket);
            Listing l = {0};
            list_directory(&l, base, "", pre, d);
            if (!d)
                list_made_up(&l, bucket, pre, mk, max + 1);
            qsort(l.e, l.n, sizeof(Entry), by_key);
            size_t cap = l.n * 900 + 4096, o = 0;
            char *b = malloc(cap);
            int i = 0, n = 0;
            while (i < l.n && mk[0] && strcmp(l.e[i].k, mk) <= 0)
                i++;
            char *ents = malloc(cap);
            size_t eo = 0;
            char *last = "";
            char *cps = malloc(cap);
            size_t co = 0;
            cps[0] = ents[0] = 0;
            for (; i < l.n && n < max; i++, n++) {
                Entry *x = &l.e[i];
                last = x->k;
                if (x->pre) {
                    if (azure)
                        eo += sprintf(ents + eo, "<BlobPrefix><Name>%s</Name></BlobPrefix>", x->k);
                    else
                        co += sprintf(cps + co, "<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>", x->k);
                } else if (azure) {
                    char mb[40];
                    hex_to_base64(x->et, mb);
                    http_date(x->mt, dt);
                    eo += sprintf(
                        ents + eo,
                        "<Blob><Name>%s</Name><Properties><Creation-Time>%s</Creation-Time><Last-Modified>%s</"
                        "Last-Modified><Etag>0x8DC%s</Etag><Content-Length>%lld</"
                        "Content-Length><Content-Type>application/octet-stream</Content-Type><Content-MD5>%s</"
                        "Content-MD5><BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier></Properties></Blob>",
                        x->k, dt, dt, x->et, x->sz, mb);
                } else {
                    iso_date(x->mt, dt);
                    eo += sprintf(ents + eo,
                                  "<Contents><Key>%s</Key><LastModified>%s</LastModified><ETag>&quot;%s&quot;</"
                                  "ETag><Size>%lld</Size><StorageClass>STANDARD</StorageClass></Contents>",
                                  x->k, dt, x->et, x->sz);
                }
            }
            int trunc = i < l.n;
            if (azure)
                o = sprintf(
                    b,
                    "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"http://x/\" "
                    "ContainerName=\"%s\"><Blobs>%s</Blobs><NextMarker>%s</NextMarker></EnumerationResults>",
                    bucket, ents, trunc ? last : "");
            else
                o = sprintf(
                    b,
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult "
                    "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>%s</Name><Prefix>%s</Prefix><KeyCount>%d</"
                    "KeyCount><MaxKeys>%d</MaxKeys><IsTruncated>%s</IsTruncated>%s%s%s%s%s</ListBucketResult>",
                    bucket, pre, n, max, trunc ? "true" : "false", trunc ? "<NextContinuationToken>" : "",
                    trunc ? last : "", trunc ? "</NextContinuationToken>" : "", ents, cps);
            (void)o;
            respond(c->fd, 200, "Content-Type: application/xml\r\n", b, azure);
            for (int j = 0; j < l.n; j++)
                free(l.e[j].k);
            free(l.e);
            free(b);
            free(ents);
            free(cps);
            continue;
        }
        int f = open(path, O_RDONLY);
        if (f < 0 || fstat(f, &st) || !S_ISREG(st.st_mode)) {
            if (f >= 0)
                close(f);
            if (!strcmp(m, "HEAD"))
                respond(c->fd, 404, azure ? "x-ms-error-code: BlobNotFound\r\n" : 0, 0, azure);
            else
                respond(c->fd, 404, azure ? "x-ms-error-code: BlobNotFound\r\n" : 0,
                        "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>no</Message></Error>", azure);
            continue;
        }
        off_t a = 0, z = st.st_size;
        int part = 0;
        if (header(H, "x-ms-range", t, sizeof t) || header(H, "range", t, sizeof t)) {
            char *x = strstr(t, "bytes=");
            if (x) {
                part = 1;
                a = atoll(x + 6);
                char *y = strchr(x, '-');
                if (y && y[1])
                    z = atoll(y + 1) + 1;
                if (z > st.st_size)
                    z = st.st_size;
            }
        }
        read_etag(path, et);
        http_date(st.st_mtime, dt);
        char mb[40];
        hex_to_base64(et, mb);
        char cr[128] = "";
        if (part)
            snprintf(cr, sizeof cr, "Content-Range: bytes %ld-%ld/%ld\r\n", (long)a, (long)z - 1, (long)st.st_size);
        char hh[1500];
        int n = snprintf(
            hh, sizeof hh,
            "HTTP/1.1 %d OK\r\nContent-Length: %ld\r\nContent-Type: application/octet-stream\r\nAccept-Ranges: "
            "bytes\r\nLast-Modified: %s\r\nETag: \"%s%s\"\r\n%s%s%s%s\r\n",
            part ? 206 : 200, (long)(z - a), dt, azure ? "0x8DC" : "", et, cr,
            azure
                ? "x-ms-blob-type: BlockBlob\r\nx-ms-request-id: 1\r\nx-ms-version: 2021-12-02\r\nx-ms-creation-time: "
                  "Thu, 01 Jan 2026 00:00:00 GMT\r\nx-ms-lease-status: unlocked\r\nx-ms-lease-state: "
                  "available\r\nx-ms-server-encrypted: false\r\nContent-MD5: "
                : "x-amz-request-id: 1\r\n",
            azure ? mb : "", azure ? "\r\n" : "");
        int head = !strcmp(m, "HEAD");
        if (send_all(c->fd, hh, n, head ? 0 : MSG_MORE)) {
            close(f);
            goto out;
        }
        if (!head) {
            while (a < z) {
                ssize_t k = sendfile(c->fd, f, &a, z - a > (8 << 20) ? 8 << 20 : z - a);
                if (k <= 0) {
                    close(f);
                    goto out;
                }
            }
        }
        close(f);
    }
out:
    close(c->fd);
    free(c);
    free(H);
    return 0;
}

int main(int ac, char **av) {
    signal(SIGPIPE, SIG_IGN);
    snprintf(root, sizeof root, "%s", av[3]);
    if (ac > 4)
        make_up(atol(av[4]));
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    // Where the system's way is BBR it would pace what it sends by timers, which costs the reader's processor too. Every
    // system has this one and lets everybody choose it.
    setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(av[2]))};
    inet_pton(AF_INET, av[1], &a.sin_addr);
    if (bind(s, (void *)&a, sizeof a) || listen(s, 1024)) {
        perror("bind");
        return 1;
    }
    pthread_attr_t at;
    pthread_attr_init(&at);
    pthread_attr_setdetachstate(&at, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&at, 2 << 20);
    for (;;) {
        int f = accept(s, 0, 0);
        if (f < 0)
            continue;
        pthread_t th;
        if (pthread_create(&th, &at, serve_connection, (void *)(long)f))
            close(f);
    }
}
