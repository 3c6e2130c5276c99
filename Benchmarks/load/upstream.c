// A stub upstream that costs next to nothing: answers POST …/chat/completions as an OpenAI-compatible server does.
//
//   upstream PORT
//
// What it plays stands in the request's model name: "c200p20000" streams 200 chunks, one write each, 20,000 µs apart ("p0": as fast as
// they go, one chunk per stream and turn). Without `"stream":true` the answer is one small JSON object. Request bodies are swallowed.
// Every chunk's text carries the moment it was written, so that a client can tell what was added on the way: "@" and sixteen hex digits
// of CLOCK_MONOTONIC in nanoseconds.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { KEPT = 2048, READ = 1 << 18 };

typedef struct Connection {
    int fd;
    bool streaming, wants_stream, has_length, chunked;
    // The head of the request, then the first and the last bytes of its body: the model's name and "stream" stand there.
    char head[8192];
    size_t head_length;
    char first[KEPT + 1], last[KEPT + 1];
    size_t first_length, last_length;
    uint64_t body_left;
    bool in_body;
    char model[64];
    int chunks, sent;
    uint64_t pace, due;
    int heap_index;
    // Of the streams without pace.
    struct Connection *next, *previous;
    char pending[1024];
    size_t pending_offset, pending_length;
} Connection;

static int poller;
static Connection **heap;
static int heap_count, heap_capacity;
static Connection unpaced = {.next = &unpaced, .previous = &unpaced};
static char input[READ];

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void place(Connection *connection, int index) {
    heap[index] = connection;
    connection->heap_index = index;
}

static void rise(int index) {
    Connection *moving = heap[index];
    while (index > 0 && moving->due < heap[(index - 1) / 2]->due) {
        place(heap[(index - 1) / 2], index);
        index = (index - 1) / 2;
    }
    place(moving, index);
}

static void sink(int index) {
    Connection *moving = heap[index];
    for (;;) {
        int child = 2 * index + 1;
        if (child >= heap_count) break;
        if (child + 1 < heap_count && heap[child + 1]->due < heap[child]->due) child++;
        if (heap[child]->due >= moving->due) break;
        place(heap[child], index);
        index = child;
    }
    place(moving, index);
}

static void heap_add(Connection *connection) {
    if (heap_count == heap_capacity) {
        heap_capacity = heap_capacity ? heap_capacity * 2 : 256;
        heap = realloc(heap, sizeof(*heap) * (size_t)heap_capacity);
    }
    place(connection, heap_count++);
    rise(heap_count - 1);
}

static void heap_remove(Connection *connection) {
    int index = connection->heap_index;
    if (index < 0) return;
    connection->heap_index = -1;
    Connection *last = heap[--heap_count];
    if (last == connection) return;
    place(last, index);
    rise(index);
    sink(last->heap_index);
}

static void unlist(Connection *connection) {
    if (connection->next) {
        connection->next->previous = connection->previous;
        connection->previous->next = connection->next;
        connection->next = connection->previous = NULL;
    }
    heap_remove(connection);
}

static void finish(Connection *connection) {
    unlist(connection);
    close(connection->fd);
    free(connection);
}

static void watch(Connection *connection, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = connection};
    epoll_ctl(poller, EPOLL_CTL_MOD, connection->fd, &event);
}

/// Returns false if the connection is gone.
static bool send_all(Connection *connection, const char *bytes, size_t count) {
    ssize_t sent = connection->pending_length ? 0 : send(connection->fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
        if (errno != EAGAIN) return false;
        sent = 0;
    }
    if ((size_t)sent == count) return true;
    size_t left = count - (size_t)sent;
    if (connection->pending_length + left > sizeof connection->pending) return false;
    memcpy(connection->pending + connection->pending_length, bytes + sent, left);
    connection->pending_length += left;
    watch(connection, EPOLLIN | EPOLLOUT);
    return true;
}

static size_t event_text(Connection *connection, char *out, size_t capacity) {
    char text[768];
    size_t length;
    int last = connection->chunks;
    if (connection->sent < last) {
        length = (size_t)snprintf(
            text, sizeof text,
            "data: {\"id\":\"chatcmpl-C0yHk2vPq8Zr4JmB7wXn5TfD\",\"object\":\"chat.completion.chunk\",\"created\":1763700000,"
            "\"model\":\"%s\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_44709d6fcb\",\"choices\":[{\"index\":0,"
            "\"delta\":{\"content\":\" word @%016llx\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n",
            connection->model, (unsigned long long)now());
    } else {
        length = (size_t)snprintf(
            text, sizeof text,
            "data: {\"id\":\"chatcmpl-C0yHk2vPq8Zr4JmB7wXn5TfD\",\"object\":\"chat.completion.chunk\",\"created\":1763700000,"
            "\"model\":\"%s\",\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":null}\n\n"
            "data: [DONE]\n\n",
            connection->model);
    }
    return (size_t)snprintf(out, capacity, "%zx\r\n%.*s\r\n%s", length, (int)length, text, connection->sent < last ? "" : "0\r\n\r\n");
}

/// Writes the next chunk. Returns false if the connection is gone.
static bool step(Connection *connection) {
    if (connection->pending_length) {
        // A slow reader: try again a turn later.
        connection->due = now() + 1000000;
        return true;
    }
    char chunk[1024];
    size_t length = event_text(connection, chunk, sizeof chunk);
    if (connection->sent++ == connection->chunks) {
        unlist(connection);
        connection->streaming = false;
    } else {
        connection->due += connection->pace;
    }
    return send_all(connection, chunk, length);
}

static bool answer(Connection *connection) {
    connection->first[connection->first_length] = 0;
    connection->last[connection->last_length] = 0;
    const char *model = strstr(connection->first, "\"model\"");
    if (!model) model = strstr(connection->last, "\"model\"");
    connection->model[0] = 0;
    if (model) sscanf(model, "\"model\" : \"%63[^\"]", connection->model);
    if (model && !connection->model[0]) sscanf(model, "\"model\":\"%63[^\"]", connection->model);
    bool streams = false;
    for (int half = 0; half < 2; half++) {
        const char *key = strstr(half ? connection->last : connection->first, "\"stream\"");
        if (!key) continue;
        key += 8;
        while (*key == ' ' || *key == ':') key++;
        streams |= strncmp(key, "true", 4) == 0;
    }
    connection->in_body = false;
    connection->head_length = connection->first_length = connection->last_length = 0;
    if (!streams) {
        char body[1024], reply[1400];
        int length = snprintf(
            body, sizeof body,
            "{\"id\":\"chatcmpl-C0yHk2vPq8Zr4JmB7wXn5TfD\",\"object\":\"chat.completion\",\"created\":1763700000,\"model\":\"%s\","
            "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"A short answer @%016llx of one line.\",\"refusal\":null},"
            "\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":9,\"total_tokens\":21},"
            "\"system_fingerprint\":\"fp_44709d6fcb\"}",
            connection->model, (unsigned long long)now());
        int total = snprintf(
            reply, sizeof reply, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", length, body);
        if (send(connection->fd, reply, (size_t)total, MSG_NOSIGNAL | MSG_DONTWAIT) != total) return false;
        return true;
    }
    connection->chunks = 200;
    connection->pace = 0;
    unsigned chunks = 200, pace = 0;
    sscanf(connection->model, "c%up%u", &chunks, &pace);
    connection->chunks = (int)chunks;
    connection->pace = (uint64_t)pace * 1000;
    connection->sent = 0;
    connection->streaming = true;
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
    if (!send_all(connection, head, sizeof head - 1)) return false;
    connection->due = now();
    if (connection->pace) {
        heap_add(connection);
    } else {
        connection->next = &unpaced;
        connection->previous = unpaced.previous;
        unpaced.previous->next = connection;
        unpaced.previous = connection;
    }
    return true;
}

static void keep(Connection *connection, const char *bytes, size_t count) {
    if (connection->first_length < KEPT) {
        size_t room = KEPT - connection->first_length;
        size_t taken = count < room ? count : room;
        memcpy(connection->first + connection->first_length, bytes, taken);
        connection->first_length += taken;
    }
    if (count >= KEPT) {
        memcpy(connection->last, bytes + count - KEPT, KEPT);
        connection->last_length = KEPT;
        return;
    }
    if (connection->last_length + count > KEPT) {
        size_t surplus = connection->last_length + count - KEPT;
        memmove(connection->last, connection->last + surplus, connection->last_length - surplus);
        connection->last_length -= surplus;
    }
    memcpy(connection->last + connection->last_length, bytes, count);
    connection->last_length += count;
}

/// Takes what came. Returns false if the connection is to be closed.
static bool take(Connection *connection, const char *bytes, size_t count) {
    while (count > 0) {
        if (connection->in_body) {
            if (connection->chunked) {
                // Bodies in chunks are taken as they stand: what is looked for stands in them all the same.
                keep(connection, bytes, count);
                if (connection->last_length >= 5 && memcmp(connection->last + connection->last_length - 5, "0\r\n\r\n", 5) == 0)
                    return answer(connection);
                return true;
            }
            size_t taken = count < connection->body_left ? count : (size_t)connection->body_left;
            keep(connection, bytes, taken);
            connection->body_left -= taken;
            bytes += taken;
            count -= taken;
            if (connection->body_left == 0 && !answer(connection)) return false;
            continue;
        }
        size_t room = sizeof connection->head - 1 - connection->head_length;
        size_t taken = count < room ? count : room;
        if (taken == 0) return false;
        memcpy(connection->head + connection->head_length, bytes, taken);
        size_t old = connection->head_length;
        connection->head_length += taken;
        connection->head[connection->head_length] = 0;
        char *end = strstr(connection->head + (old > 3 ? old - 3 : 0), "\r\n\r\n");
        if (!end) {
            bytes += taken;
            count -= taken;
            continue;
        }
        size_t used = (size_t)(end + 4 - connection->head) - old;
        bytes += used;
        count -= used;
        end[2] = 0;
        const char *length = strcasestr(connection->head, "\r\ncontent-length:");
        connection->chunked = strcasestr(connection->head, "\r\ntransfer-encoding: chunked") != NULL;
        connection->body_left = length ? strtoull(length + 17, NULL, 10) : 0;
        connection->in_body = true;
        if (strcasestr(connection->head, "\r\nexpect: 100"))
            if (!send_all(connection, "HTTP/1.1 100 Continue\r\n\r\n", 25)) return false;
        if (!connection->chunked && connection->body_left == 0 && !answer(connection)) return false;
    }
    return true;
}

static void accept_all(int listener) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        int yes = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        Connection *connection = calloc(1, sizeof *connection);
        connection->fd = fd;
        connection->heap_index = -1;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

static void ready(Connection *connection, uint32_t events) {
    if (events & EPOLLOUT && connection->pending_length) {
        ssize_t sent = send(
            connection->fd, connection->pending + connection->pending_offset, connection->pending_length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN) return finish(connection);
        if (sent > 0) {
            connection->pending_length -= (size_t)sent;
            connection->pending_offset = connection->pending_length ? connection->pending_offset + (size_t)sent : 0;
            memmove(connection->pending, connection->pending + connection->pending_offset, connection->pending_length);
            connection->pending_offset = 0;
        }
        if (!connection->pending_length) watch(connection, EPOLLIN);
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        ssize_t count = recv(connection->fd, input, sizeof input, 0);
        if (count == 0 || (count < 0 && errno != EAGAIN)) return finish(connection);
        if (count > 0 && !take(connection, input, (size_t)count)) return finish(connection);
    }
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    int port = argc > 1 ? atoi(argv[1]) : 0;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 4096) < 0) {
        perror("upstream");
        return 1;
    }
    poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    struct epoll_event events[256];
    for (;;) {
        struct timespec wait = {0, 0}, *timeout = NULL;
        if (unpaced.next != &unpaced) {
            timeout = &wait;
        } else if (heap_count) {
            uint64_t time = now();
            uint64_t left = heap[0]->due > time ? heap[0]->due - time : 0;
            wait.tv_sec = (time_t)(left / 1000000000);
            wait.tv_nsec = (long)(left % 1000000000);
            timeout = &wait;
        }
        int count = epoll_pwait2(poller, events, 256, timeout, NULL);
        for (int index = 0; index < count; index++) {
            if (!events[index].data.ptr) {
                accept_all(listener);
            } else {
                ready(events[index].data.ptr, events[index].events);
            }
        }
        uint64_t time = now();
        while (heap_count && heap[0]->due <= time) {
            Connection *connection = heap[0];
            uint64_t before = connection->due;
            if (!step(connection)) {
                finish(connection);
            } else if (connection->heap_index >= 0) {
                if (connection->due == before) break;
                sink(0);
            }
        }
        for (Connection *connection = unpaced.next, *next; connection != &unpaced; connection = next) {
            next = connection->next;
            if (!step(connection)) finish(connection);
        }
    }
}
