// A load generator that costs next to nothing: one thread, epoll, requests made once and sent many times.
//
//   load --port P --path /api/chat --body FILE --connections N --requests N [--markers N] [--ramp-ms N] [--hold-ms N] [--header LINE]…
//
// Every connection is kept alive and sends its share of the requests one after the other. An answer is good if its status is 200, it
// ends as HTTP says it ends, and it holds as many markers ("@" and sixteen hex digits, the moment the upstream wrote them) as asked for.
// Prints one JSON object: counts, requests per second, and percentiles in microseconds.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum Framing { HEAD, LENGTH, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILER, UNTIL_CLOSE };

typedef struct {
    int fd;
    int requests_left;
    size_t written;
    uint64_t starts, sent_at;
    bool connected, busy, saw_first, failed;
    enum Framing framing;
    char head[8192];
    size_t head_length;
    uint64_t left;
    int status;
    int markers;
    bool closes;
    // A marker that is cut over two reads.
    int marker_digits;
    uint64_t marker_value;
} Connection;

static struct { uint32_t *values; size_t count, capacity; } first_byte, whole, delay;
static char *request;
static size_t request_length;
static int poller, port, wanted_markers = -1;
static uint64_t good, bad, events, bytes_in;
static int open_count;
static char input[1 << 18];
static char first_failure[400];

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

#define NOTE(list, nanoseconds)                                                                   \
    do {                                                                                          \
        if ((list).count == (list).capacity) {                                                    \
            (list).capacity = (list).capacity ? (list).capacity * 2 : 4096;                       \
            (list).values = realloc((list).values, (list).capacity * sizeof(uint32_t));           \
        }                                                                                         \
        uint64_t tenths = (nanoseconds) / 100;                                                    \
        (list).values[(list).count++] = tenths > UINT32_MAX ? UINT32_MAX : (uint32_t)tenths;      \
    } while (0)

static int compare(const void *one, const void *other) {
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return a < b ? -1 : a > b;
}

static void percentiles(const char *name, uint32_t *values, size_t count, const char *end) {
    qsort(values, count, sizeof *values, compare);
    double fractions[] = {0.5, 0.9, 0.99, 0.999, 1};
    const char *names[] = {"p50", "p90", "p99", "p999", "max"};
    printf("\"%s\":{", name);
    for (int index = 0; index < 5; index++) {
        size_t position = count ? (size_t)(fractions[index] * (double)(count - 1)) : 0;
        printf("\"%s\":%.1f%s", names[index], count ? values[position] / 10.0 : 0, index < 4 ? "," : "");
    }
    printf("}%s", end);
}

static void fail(Connection *connection, const char *why) {
    if (!first_failure[0]) snprintf(first_failure, sizeof first_failure, "%s; status %d", why, connection->status);
    bad += 1 + (uint64_t)connection->requests_left;
    connection->requests_left = 0;
    connection->busy = false;
    close(connection->fd);
    connection->fd = -1;
    open_count--;
}

static void watch(Connection *connection, uint32_t wanted) {
    struct epoll_event event = {.events = wanted, .data.ptr = connection};
    epoll_ctl(poller, EPOLL_CTL_MOD, connection->fd, &event);
}

static void push(Connection *connection) {
    while (connection->written < request_length) {
        ssize_t sent = send(connection->fd, request + connection->written, request_length - connection->written, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN) return watch(connection, EPOLLIN | EPOLLOUT);
            return fail(connection, "the connection broke while sending");
        }
        connection->written += (size_t)sent;
    }
    watch(connection, EPOLLIN);
}

static void begin(Connection *connection) {
    connection->requests_left--;
    connection->written = 0;
    connection->head_length = 0;
    connection->framing = HEAD;
    connection->markers = connection->status = connection->marker_digits = 0;
    connection->saw_first = connection->closes = false;
    connection->busy = true;
    connection->sent_at = now();
    push(connection);
}

static void dial(Connection *connection) {
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int yes = 1;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    open_count++;
    connection->connected = false;
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) {
        connection->requests_left--;
        return fail(connection, "no connection");
    }
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = connection};
    epoll_ctl(poller, EPOLL_CTL_ADD, connection->fd, &event);
}

/// The answer is whole.
static void complete(Connection *connection) {
    uint64_t time = now();
    NOTE(whole, time - connection->sent_at);
    connection->busy = false;
    if (connection->status != 200 || (wanted_markers >= 0 && connection->markers != wanted_markers)) {
        if (!first_failure[0])
            snprintf(first_failure, sizeof first_failure, "status %d with %d markers: %.250s", connection->status, connection->markers, input);
        bad++;
    } else {
        good++;
    }
    if (connection->requests_left > 0 && connection->closes) {
        close(connection->fd);
        open_count--;
        return dial(connection);
    }
    if (connection->requests_left > 0) return begin(connection);
    close(connection->fd);
    connection->fd = -1;
    open_count--;
}

static void scan(Connection *connection, const char *bytes, size_t count, uint64_t time) {
    const char *end = bytes + count;
    while (bytes < end) {
        if (connection->marker_digits == 0) {
            bytes = memchr(bytes, '@', (size_t)(end - bytes));
            if (!bytes) return;
            bytes++;
            connection->marker_digits = 1;
            connection->marker_value = 0;
        }
        while (bytes < end && connection->marker_digits <= 16) {
            char digit = *bytes++;
            unsigned value = digit >= '0' && digit <= '9' ? (unsigned)(digit - '0') : digit >= 'a' && digit <= 'f' ? (unsigned)(digit - 'a' + 10) : 16;
            if (value == 16) {
                connection->marker_digits = 0;
                break;
            }
            connection->marker_value = connection->marker_value << 4 | value;
            connection->marker_digits++;
        }
        if (connection->marker_digits == 17) {
            connection->marker_digits = 0;
            connection->markers++;
            events++;
            if (!connection->saw_first) {
                connection->saw_first = true;
                NOTE(first_byte, time - connection->sent_at);
            }
            if (time > connection->marker_value) NOTE(delay, time - connection->marker_value);
        }
    }
}

static void take(Connection *connection, const char *bytes, size_t count) {
    uint64_t time = now();
    bytes_in += count;
    while (count > 0) {
        switch (connection->framing) {
        case HEAD: {
            size_t old = connection->head_length, room = sizeof connection->head - 1 - old;
            size_t taken = count < room ? count : room;
            if (taken == 0) return fail(connection, "the answer's head is too long");
            memcpy(connection->head + old, bytes, taken);
            connection->head_length += taken;
            connection->head[connection->head_length] = 0;
            char *end = strstr(connection->head, "\r\n\r\n");
            if (!end) return;
            size_t used = (size_t)(end + 4 - connection->head) - old;
            bytes += used;
            count -= used;
            end[2] = 0;
            connection->status = atoi(connection->head + 9);
            const char *length = strcasestr(connection->head, "\r\ncontent-length:");
            connection->closes = strcasestr(connection->head, "\r\nconnection: close") != NULL;
            if (strcasestr(connection->head, "\r\ntransfer-encoding: chunked")) {
                connection->framing = CHUNK_SIZE;
                connection->left = 0;
            } else if (length) {
                connection->framing = LENGTH;
                connection->left = strtoull(length + 17, NULL, 10);
                if (connection->left == 0) return complete(connection);
            } else {
                connection->framing = UNTIL_CLOSE;
            }
            break;
        }
        case LENGTH:
        case CHUNK_DATA: {
            size_t taken = count < connection->left ? count : (size_t)connection->left;
            scan(connection, bytes, taken, time);
            bytes += taken;
            count -= taken;
            connection->left -= taken;
            if (connection->left > 0) return;
            if (connection->framing == LENGTH) return complete(connection);
            connection->framing = CHUNK_END;
            connection->left = 2;
            break;
        }
        case CHUNK_SIZE: {
            char byte = *bytes++;
            count--;
            if (byte >= '0' && byte <= '9') connection->left = connection->left << 4 | (uint64_t)(byte - '0');
            else if ((byte | 32) >= 'a' && (byte | 32) <= 'f') connection->left = connection->left << 4 | (uint64_t)((byte | 32) - 'a' + 10);
            else if (byte == '\n') {
                connection->framing = connection->left ? CHUNK_DATA : TRAILER;
                if (!connection->left) connection->left = 2;
            }
            break;
        }
        case CHUNK_END:
            bytes++;
            count--;
            if (--connection->left == 0) connection->framing = CHUNK_SIZE;
            break;
        case TRAILER:
            bytes++;
            count--;
            if (--connection->left == 0) return complete(connection);
            break;
        case UNTIL_CLOSE:
            scan(connection, bytes, count, time);
            return;
        }
    }
}

static void ready(Connection *connection, uint32_t wanted) {
    if (!connection->connected) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) {
            connection->requests_left--;
            return fail(connection, "the connection was refused");
        }
        connection->connected = true;
        return begin(connection);
    }
    if (wanted & EPOLLOUT && connection->busy && connection->written < request_length) push(connection);
    if (connection->fd >= 0 && wanted & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        ssize_t count = recv(connection->fd, input, sizeof input - 1, 0);
        if (count > 0) {
            input[count] = 0;
            return take(connection, input, (size_t)count);
        }
        if (count < 0 && errno == EAGAIN) return;
        if (connection->busy && connection->framing == UNTIL_CLOSE) {
            connection->closes = true;
            return complete(connection);
        }
        fail(connection, "the connection ended inside an answer");
    }
}

int main(int argc, char **argv) {
    const char *path = "/", *body_file = NULL;
    int connections = 1, requests = 1, ramp = 0;
    char headers[2048] = "";
    for (int index = 1; index + 1 < argc; index += 2) {
        const char *name = argv[index], *value = argv[index + 1];
        if (!strcmp(name, "--port")) port = atoi(value);
        else if (!strcmp(name, "--path")) path = value;
        else if (!strcmp(name, "--body")) body_file = value;
        else if (!strcmp(name, "--connections")) connections = atoi(value);
        else if (!strcmp(name, "--requests")) requests = atoi(value);
        else if (!strcmp(name, "--markers")) wanted_markers = atoi(value);
        else if (!strcmp(name, "--ramp-ms")) ramp = atoi(value);
        else if (!strcmp(name, "--header")) {
            strncat(headers, value, sizeof headers - strlen(headers) - 3);
            strcat(headers, "\r\n");
        } else {
            fprintf(stderr, "load: unknown option %s\n", name);
            return 2;
        }
    }
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files = {1 << 16, 1 << 16};
    if (setrlimit(RLIMIT_NOFILE, &files) < 0 && getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    char *body = NULL;
    size_t body_length = 0;
    if (body_file) {
        FILE *file = fopen(body_file, "rb");
        if (!file) {
            perror(body_file);
            return 2;
        }
        fseek(file, 0, SEEK_END);
        body_length = (size_t)ftell(file);
        rewind(file);
        body = malloc(body_length + 1);
        if (fread(body, 1, body_length, file) != body_length) return 2;
        fclose(file);
    }
    request = malloc(body_length + 4096);
    request_length = (size_t)sprintf(
        request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n",
        body ? "POST" : "GET", path, port, headers, body_length);
    memcpy(request + request_length, body, body_length);
    request_length += body_length;

    poller = epoll_create1(EPOLL_CLOEXEC);
    Connection *all = calloc((size_t)connections, sizeof *all);
    uint64_t began = now();
    for (int index = 0; index < connections; index++) {
        all[index].fd = -1;
        all[index].requests_left = requests / connections + (index < requests % connections);
        all[index].starts = began + (uint64_t)ramp * 1000000 * (uint64_t)index / (uint64_t)connections;
    }
    int started = 0;
    struct epoll_event ready_events[256];
    while (started < connections || open_count > 0) {
        uint64_t time = now();
        while (started < connections && all[started].starts <= time) {
            if (all[started].requests_left > 0) dial(&all[started]);
            started++;
        }
        struct timespec wait, *timeout = NULL;
        if (started < connections) {
            uint64_t left = all[started].starts - time;
            wait = (struct timespec){(time_t)(left / 1000000000), (long)(left % 1000000000)};
            timeout = &wait;
        } else if (open_count == 0) {
            break;
        }
        int count = epoll_pwait2(poller, ready_events, 256, timeout, NULL);
        for (int index = 0; index < count; index++) ready(ready_events[index].data.ptr, ready_events[index].events);
    }
    double seconds = (double)(now() - began) / 1e9;
    struct rusage own;
    getrusage(RUSAGE_SELF, &own);
    double own_cpu = (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) + (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec) / 1e6;
    printf(
        "{\"good\":%llu,\"bad\":%llu,\"events\":%llu,\"bytes\":%llu,\"seconds\":%.4f,\"per_second\":%.1f,\"own_cpu\":%.4f,",
        (unsigned long long)good, (unsigned long long)bad, (unsigned long long)events, (unsigned long long)bytes_in, seconds,
        (double)good / seconds, own_cpu);
    percentiles("first_us", first_byte.values, first_byte.count, ",");
    percentiles("whole_us", whole.values, whole.count, ",");
    percentiles("delay_us", delay.values, delay.count, ",");
    printf("\"failure\":\"");
    for (const char *byte = first_failure; *byte; byte++)
        if (*byte >= 32 && *byte != '"' && *byte != '\\') putchar(*byte);
    printf("\"}\n");
    return 0;
}
