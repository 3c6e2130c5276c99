// The least that a relay with libcurl costs: one thread, one epoll, libcurl set up as the bridge sets it up, and no translation, no checks, no
// limits. What the bridge's small chats and first tokens are compared with. Serves the load generator and nothing else: a request
// comes in one packet, an answer goes out in one `send`.
//
//   relay PORT UPSTREAM-PORT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 65536, POOLED = 256 };

typedef struct {
  int fd;
  size_t length;
  bool streams, started;
  char *body;
  size_t body_length;
  struct curl_slist *headers;
  char request[MOST];
} client;

static int poller;
static CURLM *multi;
static long timeout_ms = -1;
static char url[128];
static client *clients[MOST];
static CURL *pool[POOLED];
static int pooled;

static void watch(int fd, uint32_t events, bool known) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  epoll_ctl(poller, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
}

static void say(client *to, const char *bytes, size_t count) {
  if (send(to->fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)count && errno == EAGAIN) fprintf(stderr, "relay: a client is slow\n");
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *unused, void *known) {
  (void)easy, (void)unused;
  if (what == CURL_POLL_REMOVE) return epoll_ctl(poller, EPOLL_CTL_DEL, fd, &(struct epoll_event){0}), 0;
  if (!known) curl_multi_assign(multi, fd, &poller);
  watch(fd, (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) | (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0), known);
  return 0;
}
static int on_timer(CURLM *unused, long milliseconds, void *context) {
  (void)unused, (void)context;
  timeout_ms = milliseconds;
  return 0;
}
static size_t on_header(char *bytes, size_t size, size_t count, void *context) {
  (void)bytes, (void)context;
  return size * count;
}
static size_t on_body(char *bytes, size_t size, size_t count, void *context) {
  client *to = context;
  count *= size;
  if (!to->streams) {
    to->body = realloc(to->body, to->body_length + count);
    memcpy(to->body + to->body_length, bytes, count);
    to->body_length += count;
    return count;
  }
  char out[MOST];
  int length = 0;
  if (!to->started)
    length = sprintf(out, "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n");
  to->started = true;
  length += sprintf(out + length, "%zx\r\n", count);
  memcpy(out + length, bytes, count);
  memcpy(out + length + count, "\r\n", 2);
  say(to, out, (size_t)length + count + 2);
  return count;
}
static int on_ready(void *context, char *remote, char *local, int remote_port, int local_port) {
  (void)context, (void)remote, (void)local, (void)remote_port, (void)local_port;
  return CURL_PREREQFUNC_OK;
}

static void begin(client *from, const char *body, size_t count) {
  CURL *easy = pooled ? pool[--pooled] : curl_easy_init();
  from->started = false;
  from->body_length = 0;
  from->streams = memmem(body, count, "\"stream\": true", 14) != NULL;
  const char *lines[] = {"Expect:", "Content-Type: application/json", "Accept-Encoding: identity"};
  from->headers = NULL;
  for (size_t i = 0; i < 3; i++) from->headers = curl_slist_append(from->headers, lines[i]);
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "relay");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 1024L);
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, 30L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 15L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, from->headers);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
  curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, from);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, from);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_ready);
  curl_multi_add_handle(multi, easy);
  int running;
  while (timeout_ms == 0) {
    timeout_ms = -1;
    curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
  }
}

static void finish(CURL *easy) {
  char *context = NULL;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &context);
  client *to = (client *)(void *)context;
  curl_multi_remove_handle(multi, easy);
  curl_easy_reset(easy);
  if (pooled < POOLED) pool[pooled++] = easy; else curl_easy_cleanup(easy);
  curl_slist_free_all(to->headers);
  if (to->streams) return say(to, "0\r\n\r\n", 5);
  char out[MOST];
  int length = sprintf(
      out, "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %zu\r\n\r\n", to->body_length);
  memcpy(out + length, to->body, to->body_length);
  say(to, out, (size_t)length + to->body_length);
}

static void on_client(client *from) {
  ssize_t count = recv(from->fd, from->request + from->length, MOST - from->length - 1, MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) {
    clients[from->fd] = NULL;
    close(from->fd);
    free(from->body);
    return free(from);
  }
  from->length += (size_t)count;
  from->request[from->length] = 0;
  char *end = strstr(from->request, "\r\n\r\n"), *field = strcasestr(from->request, "content-length:");
  if (!end || !field) return;
  size_t expected = strtoul(field + 15, NULL, 10);
  if (from->length < (size_t)(end + 4 - from->request) + expected) return;
  from->length = 0;
  begin(from, end + 4, expected);
}

static void on_listener(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK), one = 1;
  if (fd < 0 || fd >= MOST) return;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  clients[fd] = calloc(1, sizeof(client));
  clients[fd]->fd = fd;
  watch(fd, EPOLLIN, false);
}

int main(int count, char **words) {
  if (count < 3) return 2;
  snprintf(url, sizeof url, "http://127.0.0.1:%s/v1/chat/completions", words[2]);
  poller = epoll_create1(0);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(words[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (struct sockaddr *)(void *)&address, sizeof address) || listen(listener, 4096)) return 1;
  watch(listener, EPOLLIN, false);
  curl_global_init(CURL_GLOBAL_ALL);
  multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 4096L);
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
  for (;;) {
    struct epoll_event events[64];
    int running, ready = epoll_wait(poller, events, 64, (int)timeout_ms);
    if (ready == 0) {
      timeout_ms = -1;
      curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener)
        on_listener(fd);
      else if (clients[fd])
        on_client(clients[fd]);
      else
        curl_multi_socket_action(
            multi, fd, (events[i].events & ~(uint32_t)EPOLLOUT ? CURL_CSELECT_IN : 0) | (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0),
            &running);
    }
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &running)))
      if (message->msg == CURLMSG_DONE) finish(message->easy_handle);
  }
}
