// Typed doors to libcurl and epoll. libcurl's setopt and getinfo take C variadic arguments, which Swift cannot call; each argument shape
// gets one function here. Every function that can fail returns libcurl's own code, or -1 with errno set.
#pragma once
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// --- options of an easy handle ------------------------------------------------------------------------------------------------

static inline CURLcode fetch_set_long(CURL *_Nonnull easy, CURLoption option, long value) {
  return curl_easy_setopt(easy, option, value);
}
static inline CURLcode fetch_set_size(CURL *_Nonnull easy, CURLoption option, int64_t value) {
  return curl_easy_setopt(easy, option, (curl_off_t)value);
}
// libcurl copies the string; NULL resets the option.
static inline CURLcode fetch_set_string(CURL *_Nonnull easy, CURLoption option, const char *_Nullable value) {
  return curl_easy_setopt(easy, option, value);
}
// libcurl keeps the pointer; it must outlive the transfer.
static inline CURLcode fetch_set_pointer(CURL *_Nonnull easy, CURLoption option, void *_Nullable value) {
  return curl_easy_setopt(easy, option, value);
}
static inline CURLcode fetch_set_list(CURL *_Nonnull easy, CURLoption option, struct curl_slist *_Nullable list) {
  return curl_easy_setopt(easy, option, list);
}

typedef size_t (*fetch_bytes_callback)(char *_Nullable bytes, size_t size, size_t count, void *_Nullable context);
typedef int (*fetch_seek_callback)(void *_Nullable context, curl_off_t offset, int origin);
typedef curl_socket_t (*fetch_open_callback)(void *_Nullable context, curlsocktype purpose, struct curl_sockaddr *_Nullable address);
typedef int (*fetch_close_callback)(void *_Nullable context, curl_socket_t item);
typedef int (*fetch_ready_callback)(void *_Nullable context, char *_Nullable remote_ip, char *_Nullable local_ip, int remote_port,
                                    int local_port);

// WRITEFUNCTION, HEADERFUNCTION or READFUNCTION with its context.
static inline void fetch_set_bytes_callback(CURL *_Nonnull easy, CURLoption function, CURLoption data,
                                            fetch_bytes_callback _Nonnull callback, void *_Nullable context) {
  curl_easy_setopt(easy, function, callback);
  curl_easy_setopt(easy, data, context);
}
static inline void fetch_set_seek_callback(CURL *_Nonnull easy, fetch_seek_callback _Nonnull callback, void *_Nullable context) {
  curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, callback);
  curl_easy_setopt(easy, CURLOPT_SEEKDATA, context);
}
static inline void fetch_set_open_callback(CURL *_Nonnull easy, fetch_open_callback _Nonnull callback, void *_Nullable context) {
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, callback);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, context);
}
static inline void fetch_set_close_callback(CURL *_Nonnull easy, fetch_close_callback _Nonnull callback, void *_Nullable context) {
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, callback);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, context);
}
// Called when a connection stands, new or used before, and nothing of this request has been sent on it.
static inline void fetch_set_ready_callback(CURL *_Nonnull easy, fetch_ready_callback _Nonnull callback, void *_Nullable context) {
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, callback);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, context);
}

static inline long fetch_info_long(CURL *_Nonnull easy, CURLINFO info) {
  long value = 0;
  return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}
static inline void *_Nullable fetch_info_private(CURL *_Nonnull easy) {
  char *value = NULL;
  return curl_easy_getinfo(easy, CURLINFO_PRIVATE, &value) == CURLE_OK ? value : NULL;
}

// --- the multi handle ------------------------------------------------------------------------------------------------------------

typedef int (*fetch_socket_callback)(CURL *_Nullable easy, curl_socket_t socket, int what, void *_Nullable context,
                                     void *_Nullable socket_context);
typedef int (*fetch_timer_callback)(CURLM *_Nullable multi, long milliseconds, void *_Nullable context);

static inline CURLMcode fetch_multi_set_long(CURLM *_Nonnull multi, CURLMoption option, long value) {
  return curl_multi_setopt(multi, option, value);
}
static inline void fetch_multi_set_callbacks(CURLM *_Nonnull multi, fetch_socket_callback _Nonnull socket,
                                             fetch_timer_callback _Nonnull timer, void *_Nullable context) {
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
}
// Takes one finished transfer off the list; NULL when there is none.
static inline CURL *_Nullable fetch_multi_next_done(CURLM *_Nonnull multi, CURLcode *_Nonnull result) {
  int left = 0;
  CURLMsg *message;
  while ((message = curl_multi_info_read(multi, &left)))
    if (message->msg == CURLMSG_DONE) {
      *result = message->data.result;
      return message->easy_handle;
    }
  return NULL;
}

// --- addresses and sockets -------------------------------------------------------------------------------------------------------

// Writes 4 or 16 bytes in network order and says which: 4, 6, or 0 for every other family.
static inline int fetch_sockaddr_bytes(const struct sockaddr *_Nonnull address, uint8_t *_Nonnull out, uint16_t *_Nonnull port) {
  if (address->sa_family == AF_INET) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
    memcpy(out, &v4->sin_addr, 4);
    *port = ntohs(v4->sin_port);
    return 4;
  }
  if (address->sa_family == AF_INET6) {
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
    memcpy(out, &v6->sin6_addr, 16);
    *port = ntohs(v6->sin6_port);
    return 6;
  }
  return 0;
}
static inline int fetch_curl_address_bytes(const struct curl_sockaddr *_Nonnull address, uint8_t *_Nonnull out,
                                           uint16_t *_Nonnull port) {
  return fetch_sockaddr_bytes(&address->addr, out, port);
}
// The same for text such as "127.0.0.1" or "::1"; 0 for every other text.
static inline int fetch_text_address_bytes(const char *_Nonnull text, uint8_t *_Nonnull out) {
  if (inet_pton(AF_INET, text, out) == 1) return 4;
  if (inet_pton(AF_INET6, text, out) == 1) return 6;
  return 0;
}
static inline int fetch_open_socket(const struct curl_sockaddr *_Nonnull address) {
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}
// The port of our own end; 0 for what has none.
static inline uint16_t fetch_local_port(int descriptor) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  uint8_t bytes[16];
  uint16_t port = 0;
  if (getsockname(descriptor, (struct sockaddr *)(void *)&address, &length) == 0)
    fetch_sockaddr_bytes((const struct sockaddr *)(const void *)&address, bytes, &port);
  return port;
}
// Ends a connection on which something waits to be read, both ways and at once, but leaves its descriptor to its owner.
// Returns whether there was something.
static inline bool fetch_end_if_unread(int descriptor) {
  char byte;
  if (recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0) return false;
  shutdown(descriptor, SHUT_RDWR);
  return true;
}
// Tells one socket from a later one with the same descriptor; 0 if there is none.
static inline uint64_t fetch_socket_identity(int descriptor) {
  struct stat facts;
  return fstat(descriptor, &facts) == 0 ? (uint64_t)facts.st_ino : 0;
}
static inline int fetch_close(int descriptor) { return close(descriptor); }

struct fetch_connection_facts {
  // How many bytes the peer's kernel has confirmed since the connection was opened; 0 if that cannot be told.
  uint64_t acknowledged;
  // The peer cut the connection; false if it closed in good order, or has not closed.
  bool was_reset;
};
static inline struct fetch_connection_facts fetch_connection_facts_of(int descriptor) {
  // glibc's struct tcp_info ends before the field needed, and the kernel's header cannot stand beside glibc's. The layout is part of the
  // kernel's interface and only ever grows: tcpi_state is its first byte, tcpi_bytes_acked lies at offset 120 since Linux 4.1.
  enum { tcp_info_option = 11, bytes_acked_offset = 120, state_closed = 7 };
  uint8_t info[128];
  socklen_t length = sizeof info;
  struct fetch_connection_facts facts = {0, false};
  if (getsockopt(descriptor, IPPROTO_TCP, tcp_info_option, info, &length) != 0 || length < sizeof info) return facts;
  memcpy(&facts.acknowledged, info + bytes_acked_offset, sizeof facts.acknowledged);
  // After a FIN the state would be CLOSE_WAIT.
  facts.was_reset = info[0] == state_closed;
  return facts;
}

// --- time ------------------------------------------------------------------------------------------------------------------------

static inline uint64_t fetch_monotonic_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
// Seconds since 1970.
static inline int64_t fetch_wall_clock_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec;
}

// --- waiting ---------------------------------------------------------------------------------------------------------------------

struct fetch_event {
  int descriptor;
  // What the descriptor was given to `fetch_poller_watch_edges` with; 0 for every other.
  uint32_t tag;
  // closed: the peer sends no more.
  bool readable, writable, failed, closed;
};

static inline int fetch_poller_create(void) { return epoll_create1(EPOLL_CLOEXEC); }
static inline int fetch_wake_create(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline void fetch_wake(int descriptor) {
  uint64_t one = 1;
  ssize_t written = write(descriptor, &one, sizeof one);
  (void)written;  // Only fails when it is signalled 2^64 - 1 times already.
}
static inline void fetch_wake_clear(int descriptor) {
  uint64_t count;
  ssize_t got = read(descriptor, &count, sizeof count);
  (void)got;
}
// Watches a descriptor, or changes what is watched. libcurl may close a descriptor and get the same number again before we hear of it,
// so neither "exists" nor "unknown" is an error.
static inline int fetch_poller_watch(int poller, int descriptor, bool known, bool reading, bool writing) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  event.events = (reading ? (uint32_t)EPOLLIN : 0) | (writing ? (uint32_t)EPOLLOUT : 0);
  event.data.u64 = (uint32_t)descriptor;
  if (epoll_ctl(poller, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, &event) == 0) return 0;
  if (errno == EEXIST) return epoll_ctl(poller, EPOLL_CTL_MOD, descriptor, &event);
  if (errno == ENOENT) return epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
  return -1;
}
// Reports a descriptor once each time it becomes readable, its peer ends, or, if wanted, it becomes writable; not for as long as it is.
// `tag` (not 0) comes back with each report, and tells it from one about an earlier descriptor of the same number.
static inline bool fetch_poller_watch_edges(int poller, int descriptor, uint32_t tag, bool known, bool writing) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  event.events = (uint32_t)EPOLLIN | (uint32_t)EPOLLRDHUP | (uint32_t)EPOLLET | (writing ? (uint32_t)EPOLLOUT : 0);
  event.data.u64 = (uint64_t)tag << 32 | (uint32_t)descriptor;
  return epoll_ctl(poller, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, &event) == 0;
}
static inline void fetch_poller_forget(int poller, int descriptor) {
  struct epoll_event event;
  epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, &event);
}
// Waits up to `nanoseconds` (negative: without end) and fills at most `capacity` events (64 at most). Returns how many.
static inline int fetch_poller_wait(int poller, struct fetch_event *_Nonnull out, int capacity, int64_t nanoseconds) {
  struct epoll_event events[64];
  int milliseconds = -1;
  if (nanoseconds >= 0) {
    // Rounded up: waking too early would only mean waiting again.
    int64_t rounded = (nanoseconds + 999999) / 1000000;
    milliseconds = rounded > 86400000 ? 86400000 : (int)rounded;
  }
  int count = epoll_wait(poller, events, capacity < 64 ? capacity : 64, milliseconds);
  for (int i = 0; i < count; i++) {
    out[i].descriptor = (int)(uint32_t)events[i].data.u64;
    out[i].tag = (uint32_t)(events[i].data.u64 >> 32);
    out[i].readable = events[i].events & EPOLLIN;
    out[i].writable = events[i].events & EPOLLOUT;
    out[i].failed = events[i].events & (EPOLLERR | EPOLLHUP);
    out[i].closed = events[i].events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP);
  }
  return count < 0 ? 0 : count;
}
// A thread that is nobody's business: no signal is ever delivered to it, SIGPIPE included.
static inline void fetch_block_signals(void) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, NULL);
}
// A lock on the heap, where it keeps its address.
static inline pthread_mutex_t *_Nullable fetch_lock_create(void) {
  pthread_mutex_t *lock = (pthread_mutex_t *)malloc(sizeof *lock);
  if (lock) pthread_mutex_init(lock, NULL);
  return lock;
}
static inline void fetch_lock(pthread_mutex_t *_Nonnull lock) { pthread_mutex_lock(lock); }
static inline void fetch_unlock(pthread_mutex_t *_Nonnull lock) { pthread_mutex_unlock(lock); }
static inline void fetch_lock_free(pthread_mutex_t *_Nonnull lock) {
  pthread_mutex_destroy(lock);
  free(lock);
}
// A number that no other living thread has.
static inline uintptr_t fetch_thread_identity(void) { return (uintptr_t)pthread_self(); }
// Starts a detached thread. Returns 0, or the error's number.
static inline int fetch_start_thread(void *_Nullable (*_Nonnull body)(void *_Nullable), void *_Nullable context) {
  pthread_t thread;
  int status = pthread_create(&thread, NULL, body, context);
  if (status == 0) pthread_detach(thread);
  return status;
}
