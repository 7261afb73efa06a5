// Sockets to requests and back: Boost.Beast on one Asio context. Beast is included by server.cpp alone.
#pragma once
#include <chrono>
#include <string>

#include "base/worker_pool.h"
#include "http/routes.h"

namespace basalt::http {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 3000;                    // 0: any free one, see Server::port
  std::string tls_certificate_file, tls_key_file;  // both or none: PEM
  std::size_t connections = 4096;               // more wait in the kernel's backlog
  std::size_t header_limit = 32 << 10;
  std::chrono::seconds header_time{15}, idle_time{300}, write_time{120}, drain_time{30};
  std::chrono::seconds drain_notice{0};         // see drain(): how long a load balancer needs to notice that this server leaves
  std::chrono::milliseconds drain_grace{1000};  // see drain(): what a proxy's open connections get for one last request
  std::size_t network_threads = 2;
  // Peers whose X-Forwarded-For, X-Forwarded-Proto and X-Request-Id are believed: addresses or networks. By default this
  // machine and private networks, where proxies live; otherwise all clients of a proxy would share its throttle.
  std::vector<std::string> trusted_proxies = {"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1", "fc00::/7"};
  bool log_requests = false;                    // a line each, at level info
  std::size_t bodies_in_memory = 512 << 20;     // of all requests together; more is 503

  // A TCP socket that listens already and that others may hold too: people's connections are taken from (a copy of) it, and
  // address and port are its own. It is never shut down. -1: the server binds its own.
  int inherited_socket = -1;
  bool inherited_alone = false;                 // nobody else holds that one when drain() is called
  bool wait_for_begin = false;                  // takes people's connections only after begin()
  // A second socket that listens already, beside that one: plain HTTP, only for `private_paths`, open from the start on to the
  // very end, outside the limit of connections. -1: none.
  int private_socket = -1;
  std::vector<std::string> private_paths = {"/livez", "/readyz", "/metrics", "/api/health", "/api/updates/probe"};
};

// Counters for /metrics; read at any time. What came in by the private socket is not counted.
struct ServerCounters {
  std::uint64_t requests = 0, failures = 0, connections_open = 0, connections_total = 0, bytes_sent = 0;
  double p95_ms = 0;  // of the last requests of people: nineteen in twenty were answered in less; 0 while there were none
};

class Server {
 public:
  struct Pools { WorkerPool& application; WorkerPool& query; WorkerPool& hashing; };

  // Binds and listens at once: throws Failure Unavailable "Port 3000 on 127.0.0.1 is in use …". Answers with `fallback`
  // (start-up page, health, 503) until serve() hands over the routes.
  static std::unique_ptr<Server> listen(ServerOptions options, Pools pools, Handler fallback);
  virtual ~Server() = default;

  virtual std::uint16_t port() const = 0;
  // With options.wait_for_begin: connections are taken from now on. Any thread; more than once does no harm.
  virtual void begin() = 0;
  // The socket that listens for people's connections, to be duplicated before drain(); -1 when it is closed.
  virtual int listening_socket() const = 0;
  // From now on requests go to `routes`; paths outside /api go to `pages` (the web app). Both outlive the server.
  virtual void serve(const Routes& routes, Authenticator& authenticator, Handler pages) = 0;
  // From now on all requests go to `handler` instead of what serve() was given; null: back to that. It outlives the server.
  // Any thread.
  virtual void serve_instead(const Handler* handler) = 0;
  // From now on every answer ends its connection ("Connection: close"), so that proxies move over to other servers one request
  // at a time. Nothing is refused and nothing closed yet. Any thread, any time, does not block.
  virtual void announce_drain() = 0;
  // Was the end announced? Then /readyz should answer 503.
  virtual bool draining() const = 0;
  // Takes no more connections from now on, before drain(). Ours: those that wait to be taken are taken, nobody else would.
  // SomebodyElses: they are left to whoever holds the socket too, and drain() needs to give nobody notice. Blocks for
  // milliseconds; any thread.
  enum class Waiting { Ours, SomebodyElses };
  virtual void stop_listening(Waiting) = 0;
  // Announces, then goes on serving for options.drain_notice, and for options.drain_grace while connections are open; closes those
  // that stay idle; stops listening without resetting anybody (new clients are refused, which proxies take to the next server, and
  // a successor may bind the port); lets running requests finish for options.drain_time; cuts the rest. Blocks.
  virtual void drain() = 0;
  virtual ServerCounters counters() const = 0;
};

}  // namespace basalt::http
