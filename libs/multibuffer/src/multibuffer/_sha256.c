// SHA-256 of whole blocks, of two streams at a time where two threads have some (FIPS 180-4; Intel's SHA extensions).
//   multibuffer_usable()                        whether this processor has the instructions
//   multibuffer_update(state, data, blocks)     eight words, 64 bytes a block; returns when all of them are in the state
//   multibuffer_one(state, data, blocks)        the same of a few blocks, without meeting anybody
//   multibuffer_two(state, data, ...)           as many blocks of two streams, without another thread
//   multibuffer_counts(paired, single)          blocks hashed in pairs and alone since the process began
// One round depends on the one before: a core that computes a single stream waits half of its time. A thread that comes
// while another hashes alone leaves its blocks to it and waits; whoever is done first hands the rest over. Nobody waits
// for a partner to come: a thread without one lets others run, once, and begins. Not a Python module: called through ctypes, without Python's lock.
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>
#include <pthread.h>
#include <sched.h>

#define INSTRUCTIONS __attribute__((target("sha,sse4.1,ssse3")))
#define INLINE static inline __attribute__((always_inline)) INSTRUCTIONS

static const uint32_t K[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

typedef struct stream {
    uint32_t *state;
    const uint8_t *data;
    size_t blocks; // not yet hashed
    enum { WAITING, LEADING, DONE } part;
    pthread_cond_t changed;
    struct stream *guest; // hashed with this one, by the thread of this one
    struct stream *next;  // in `alone`
    int listed;           // in `alone`
    int waited;           // has let others run since it is without a guest
} stream;

// Four rounds of each of the `n` streams, one stream's beside the other's; `i` counts from 0 to 15.
INLINE void four_rounds(int n, int i, __m128i (*m)[4], __m128i *abef, __m128i *cdgh) {
    const __m128i k = _mm_load_si128((const __m128i *)(K + 4 * i));
    __m128i w[2];
    for (int j = 0; j < n; j++) {
        w[j] = _mm_add_epi32(m[j][i & 3], k);
        cdgh[j] = _mm_sha256rnds2_epu32(cdgh[j], abef[j], w[j]);
    }
    for (int j = 0; j < n; j++)
        if (i >= 3 && i < 15) {
            const __m128i t = _mm_alignr_epi8(m[j][i & 3], m[j][(i - 1) & 3], 4);
            m[j][(i + 1) & 3] = _mm_sha256msg2_epu32(_mm_add_epi32(m[j][(i + 1) & 3], t), m[j][i & 3]);
        }
    for (int j = 0; j < n; j++)
        abef[j] = _mm_sha256rnds2_epu32(abef[j], cdgh[j], _mm_shuffle_epi32(w[j], 0x0E));
    for (int j = 0; j < n; j++)
        if (i >= 1 && i < 13)
            m[j][(i - 1) & 3] = _mm_sha256msg1_epu32(m[j][(i - 1) & 3], m[j][i & 3]);
}

// `blocks` of each of `n` streams, which is 1 or 2 and known to the compiler.
INLINE void compress(int n, stream *const *streams, size_t blocks) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i abef[2], cdgh[2];
    const uint8_t *data[2];
    for (int j = 0; j < n; j++) {
        const __m128i *state = (const __m128i *)streams[j]->state;
        const __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(state), 0xB1);
        const __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(state + 1), 0x1B);
        abef[j] = _mm_alignr_epi8(cdab, efgh, 8);
        cdgh[j] = _mm_blend_epi16(efgh, cdab, 0xF0);
        data[j] = streams[j]->data;
    }
    for (size_t block = 0; block < blocks; block++) {
        __m128i abef_before[2], cdgh_before[2], m[2][4];
        for (int j = 0; j < n; j++) {
            abef_before[j] = abef[j];
            cdgh_before[j] = cdgh[j];
            for (int i = 0; i < 4; i++)
                m[j][i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)data[j] + i), swap);
            data[j] += 64;
        }
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++)
            four_rounds(n, i, m, abef, cdgh);
        for (int j = 0; j < n; j++) {
            abef[j] = _mm_add_epi32(abef[j], abef_before[j]);
            cdgh[j] = _mm_add_epi32(cdgh[j], cdgh_before[j]);
        }
    }
    for (int j = 0; j < n; j++) {
        __m128i *state = (__m128i *)streams[j]->state;
        const __m128i feba = _mm_shuffle_epi32(abef[j], 0x1B);
        const __m128i dchg = _mm_shuffle_epi32(cdgh[j], 0xB1);
        _mm_storeu_si128(state, _mm_blend_epi16(feba, dchg, 0xF0));
        _mm_storeu_si128(state + 1, _mm_alignr_epi8(dchg, feba, 8));
        streams[j]->data = data[j];
        streams[j]->blocks -= blocks;
    }
}

static INSTRUCTIONS void compress_one(stream *one, size_t blocks) {
    stream *const streams[1] = {one};
    compress(1, streams, blocks);
}

static INSTRUCTIONS void compress_two(stream *one, stream *other, size_t blocks) {
    stream *const streams[2] = {one, other};
    compress(2, streams, blocks);
}

static pthread_mutex_t meeting = PTHREAD_MUTEX_INITIALIZER;
static stream *alone = NULL; // those who hash by themselves and would take a guest
static uint64_t together = 0, apart = 0;

enum { SLICE = 1024 }; // blocks that are hashed before one looks whether somebody has come: 64 KiB, some 40 microseconds

static void enter(stream *self) {
    self->next = alone;
    self->listed = 1;
    alone = self;
}

static void leave(stream *self) {
    for (stream **at = &alone; *at; at = &(*at)->next)
        if (*at == self) {
            *at = self->next;
            self->listed = 0;
            return;
        }
}

// Another that hashes alone; NULL where there is none.
static stream *other_than(const stream *self) {
    return alone != self || !alone ? alone : alone->next;
}

// Leaves the rest to `leader`, until it is hashed or handed back. Called and left with the lock, as all below.
static void visit(stream *self, stream *leader) {
    if (self->listed)
        leave(self);
    leave(leader);
    leader->guest = self;
    self->part = WAITING;
    while (self->part == WAITING)
        pthread_cond_wait(&self->changed, &meeting);
}

static void dismiss(stream *self, int part) {
    stream *const guest = self->guest;
    self->guest = NULL;
    guest->part = part;
    // Who comes next shall find it, though it may take a while to wake up.
    if (part == LEADING)
        enter(guest);
    self->waited = guest->waited = 0;
    pthread_cond_signal(&guest->changed);
}

static void hash_with_guest(stream *self) {
    stream *const guest = self->guest;
    const size_t blocks = self->blocks < guest->blocks ? self->blocks : guest->blocks;
    together += 2 * blocks;
    pthread_mutex_unlock(&meeting);
    compress_two(self, guest, blocks);
    pthread_mutex_lock(&meeting);
    dismiss(self, guest->blocks ? LEADING : DONE);
}

static void hash_alone(stream *self) {
    const size_t blocks = !self->waited ? 0 : self->blocks < SLICE ? self->blocks : SLICE;
    if (!self->listed)
        enter(self);
    apart += blocks;
    pthread_mutex_unlock(&meeting);
    if (blocks)
        compress_one(self, blocks);
    else // Another may have bytes for us, and no processor to say so.
        sched_yield();
    self->waited = 1;
    pthread_mutex_lock(&meeting);
}

void multibuffer_update(uint32_t *state, const uint8_t *data, size_t blocks) {
    stream self = {.state = state, .data = data, .blocks = blocks, .part = LEADING};
    pthread_cond_init(&self.changed, NULL);
    pthread_mutex_lock(&meeting);
    while (self.blocks) {
        stream *const leader = self.guest ? NULL : other_than(&self);
        if (leader)
            visit(&self, leader);
        else if (self.guest)
            hash_with_guest(&self);
        else
            hash_alone(&self);
    }
    if (self.guest)
        dismiss(&self, LEADING);
    else if (self.listed)
        leave(&self);
    pthread_mutex_unlock(&meeting);
    pthread_cond_destroy(&self.changed);
}

void multibuffer_one(uint32_t *state, const uint8_t *data, size_t blocks) {
    stream one = {.state = state, .data = data, .blocks = blocks};
    compress_one(&one, blocks);
}

void multibuffer_two(uint32_t *state, const uint8_t *data, uint32_t *others, const uint8_t *theirs, size_t blocks) {
    stream one = {.state = state, .data = data, .blocks = blocks}, other = {.state = others, .data = theirs, .blocks = blocks};
    compress_two(&one, &other, blocks);
}

void multibuffer_counts(uint64_t *paired, uint64_t *single) {
    pthread_mutex_lock(&meeting);
    *paired = together;
    *single = apart;
    pthread_mutex_unlock(&meeting);
}

// In a child there is only the thread that forked: nobody hashes, whoever held the lock.
static void in_child(void) {
    pthread_mutex_init(&meeting, NULL);
    alone = NULL;
}

int multibuffer_usable(void) {
    static int asked = 0;
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1))
        return 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_SHA))
        return 0;
    if (!asked)
        asked = !pthread_atfork(NULL, NULL, in_child);
    return asked;
}
#else
int multibuffer_usable(void) { return 0; }
void multibuffer_update(uint32_t *state, const uint8_t *data, size_t blocks) {}
void multibuffer_one(uint32_t *state, const uint8_t *data, size_t blocks) {}
void multibuffer_two(uint32_t *state, const uint8_t *data, uint32_t *others, const uint8_t *theirs, size_t blocks) {}
void multibuffer_counts(uint64_t *paired, uint64_t *single) {}
#endif
