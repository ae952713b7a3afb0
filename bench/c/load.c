/* Load on an HTTP service from one thread: as fast as it answers, or at a constant rate.
 *
 *     load HOST PORT CONNECTIONS SECONDS RATE HEAD BODIES [EXPECT [TIMES]]
 *
 * RATE 0: every connection asks again as soon as it has its answer. RATE n: n requests a second are due at fixed
 * moments, and a latency counts from the moment at which the request was due, so that a slow service cannot hide its
 * queue. HEAD: file with the request line and headers, without Content-Length and the empty line. BODIES: file with a
 * body a line, taken in turn. EXPECT: text that every good answer holds. TIMES: file for two doubles an answer, the moment
 * at which it was due (CLOCK_MONOTONIC) and its latency, in seconds. One line of JSON comes out; 100 ms at the start are
 * not counted. SIGTERM ends it early.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER = 16384, LATENCIES = 8000000 };

typedef struct {
    char *data;
    size_t size;
} Text;

typedef struct {
    int fd;
    int busy;
    double due;
    const Text *request;
    size_t sent, got;
    char answer[ANSWER + 1];
} Connection;

static Text *requests;
static size_t request_count, next_request;
static Connection *connections;
static int connection_count, epoll;
static const char *host, *port, *expect;
static double began, counted_from, ends, rate;
static unsigned scheduled;
static float *latencies;
static size_t answered, good, other, broken;
static FILE *times;
static volatile sig_atomic_t ended_early;

static void end_early(int number) {
    (void)number;
    ended_early = 1;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static Text read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) fail(path);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *data = malloc((size_t)size + 1);
    if (!data || fread(data, 1, (size_t)size, file) != (size_t)size) fail(path);
    data[size] = 0;
    fclose(file);
    return (Text){data, (size_t)size};
}

static void make_requests(const char *head_path, const char *bodies_path) {
    Text head = read_file(head_path), bodies = read_file(bodies_path);
    size_t room = 1024;
    requests = malloc(room * sizeof *requests);
    for (char *line = strtok(bodies.data, "\n"); line; line = strtok(NULL, "\n")) {
        if (request_count == room) requests = realloc(requests, (room *= 2) * sizeof *requests);
        char *data = NULL;
        int size = asprintf(&data, "%sContent-Length: %zu\r\n\r\n%s", head.data, strlen(line), line);
        if (size < 0 || !requests) fail("requests");
        requests[request_count++] = (Text){data, (size_t)size};
    }
    if (!request_count) fail("no bodies");
}

static void open_connection(Connection *c) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(host, port, &hints, &found)) fail("host");
    c->fd = socket(found->ai_family, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, found->ai_addr, found->ai_addrlen)) fail("connect");
    freeaddrinfo(found);
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event)) fail("epoll");
    c->busy = 0;
}

static void again(Connection *c) {
    close(c->fd);
    open_connection(c);
}

/* Requests are far smaller than a socket's buffer: one write takes them. */
static void ask(Connection *c, double due) {
    c->request = &requests[next_request++ % request_count];
    c->due = due, c->busy = 1, c->got = 0;
    if (write(c->fd, c->request->data, c->request->size) != (ssize_t)c->request->size) {
        broken++;
        again(c);
    }
}

static void note(Connection *c) {
    double t = now();
    c->busy = 0;
    if (t < counted_from) return;
    if (answered < LATENCIES) latencies[answered] = (float)(t - c->due);
    answered++;
    if (times) fwrite((double[]){c->due, t - c->due}, sizeof(double), 2, times);
    int ok = !strncmp(c->answer + 9, "200", 3) && (!expect || strstr(c->answer, expect));
    if (ok) good++;
    else if (!other++) fprintf(stderr, "%.400s\n", c->answer);
}

/* 1 when the whole answer is there. */
static int whole(Connection *c) {
    c->answer[c->got] = 0;
    char *end = strstr(c->answer, "\r\n\r\n");
    if (!end) return 0;
    char *length = strcasestr(c->answer, "\r\ncontent-length:");
    size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    return c->got >= (size_t)(end - c->answer) + 4 + body;
}

static void hear(Connection *c) {
    ssize_t n = read(c->fd, c->answer + c->got, ANSWER - c->got);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
        broken += (size_t)c->busy;
        again(c);
    } else {
        c->got += (size_t)n;
        if (c->busy && whole(c)) {
            note(c);
            if (strcasestr(c->answer, "\r\nconnection: close")) again(c);
        }
    }
}

/* Waits for answers, at most until the next request is due: a load that spins would take the core from the servers that
 * share it. */
static int wait_for_events(struct epoll_event *events, int most, double t) {
    double seconds = rate > 0 && t < ends ? began + scheduled / rate - t : 1e-3;
    struct timespec wait = {.tv_nsec = seconds <= 0 ? 0 : seconds > 1e-3 ? 1000000 : (long)(seconds * 1e9)};
    return epoll_pwait2(epoll, events, most, &wait, NULL);
}

static void send_what_is_due(void) {
    double t = now();
    for (int i = 0; i < connection_count && t < ends; i++) {
        Connection *c = &connections[i];
        if (c->busy) continue;
        if (rate == 0) {
            ask(c, t);
        } else {
            double due = began + scheduled / rate;
            if (due > t) return;
            scheduled++;
            ask(c, due);
        }
    }
}

static int by_size(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double quantile(double q) {
    size_t n = answered < LATENCIES ? answered : LATENCIES;
    return n ? 1000.0 * (double)latencies[(size_t)(q * (double)(n - 1))] : 0;
}

static void report(double seconds) {
    size_t n = answered < LATENCIES ? answered : LATENCIES;
    qsort(latencies, n, sizeof *latencies, by_size);
    unsigned due = rate > 0 ? (unsigned)((ends - counted_from) * rate) : 0;
    printf("{\"rate\": %.1f, \"good\": %zu, \"other\": %zu, \"broken\": %zu, \"due\": %u, \"p50_ms\": %.3f, "
           "\"p99_ms\": %.3f, \"p999_ms\": %.3f, \"max_ms\": %.3f}\n",
           (double)answered / seconds, good, other, broken, due, quantile(0.5), quantile(0.99), quantile(0.999), quantile(1));
}

int main(int argc, char **argv) {
    if (argc < 8) {
        fprintf(stderr, "load HOST PORT CONNECTIONS SECONDS RATE HEAD BODIES [EXPECT [TIMES]]\n");
        return 2;
    }
    host = argv[1], port = argv[2], connection_count = atoi(argv[3]), rate = atof(argv[5]);
    expect = argc > 8 ? argv[8] : NULL;
    if (argc > 9 && !(times = fopen(argv[9], "wb"))) fail(argv[9]);
    signal(SIGTERM, end_early);
    make_requests(argv[6], argv[7]);
    epoll = epoll_create1(0);
    connections = calloc((size_t)connection_count, sizeof *connections);
    latencies = malloc(LATENCIES * sizeof *latencies);
    if (!connections || !latencies) fail("memory");
    for (int i = 0; i < connection_count; i++) open_connection(&connections[i]);
    began = now(), counted_from = began + 0.1, ends = counted_from + atof(argv[4]);
    struct epoll_event events[256];
    for (double t = began; t < ends + 2; t = now()) {
        if (ended_early && ends > t) ends = t;
        send_what_is_due();
        int busy = 0;
        for (int i = 0; i < connection_count && !busy; i++) busy = connections[i].busy;
        if (t > ends && !busy) break;
        int count = wait_for_events(events, 256, t);
        for (int i = 0; i < count; i++) hear(events[i].data.ptr);
    }
    report(ends - counted_from);
    return times && fclose(times);
}
