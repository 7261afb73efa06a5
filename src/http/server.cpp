#include "http/server.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <future>
#include <thread>
#include <unordered_set>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>

#include "base/log.h"
#include "base/random.h"
#include "http/alarm.h"
#include "http/answer.h"
#include "http/compression.h"
#include "http/failure_response.h"
#include "http/latencies.h"
#include "http/request_parser.h"
#include "http/stream_channel.h"
#include "http/trusted_peers.h"
#include "http/url_text.h"

namespace basalt::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t read_piece = 64 << 10;     // taken from a socket at once
constexpr std::size_t most_unread = 64 << 10;    // received ahead of what is being handled
constexpr std::size_t write_piece = 256 << 10;   // has write_time to leave
constexpr std::size_t other_body_limit = 1 << 20;  // of requests that no route takes
constexpr auto stream_tick = milliseconds(20), idle_tick = milliseconds(100), linger_time = milliseconds(1500);
constexpr auto handshake_time = milliseconds(20);   // the last connections are made within, when the server stops listening
constexpr auto first_bytes_time = milliseconds(500);  // of a connection that was made just before

class Connection;
class BeastServer;

// What the server answers with from the moment serve() was called.
struct Serving {
  const Routes* routes;
  Authenticator* authenticator;
  Handler pages;
};

// One request being answered: shared by the connection, which waits, and the worker, which works.
struct Exchange : std::enable_shared_from_this<Exchange> {
  Exchange(BeastServer& owner, std::shared_ptr<Connection> from) : server(owner), connection(std::move(from)) {}
  ~Exchange();

  BeastServer& server;
  const std::shared_ptr<Connection> connection;
  Request request;
  AnswerForm form;
  const Route* route = nullptr;
  const Handler* handler = nullptr;        // instead of a route: the start-up page, the web app
  const Serving* serving = nullptr;
  std::stop_source gone;
  SteadyClock::time_point began;
  std::size_t charged = 0;                 // bytes of body counted against the server's limit
  bool running = false;
  WorkerPool* counted_by = nullptr;        // of work that the loop's leader does itself

  std::atomic<bool> streaming = false;     // a producer runs
  std::unique_ptr<StreamChannel> channel;  // made before `streaming` is set
  // The worker's result, read by the connection after `done`.
  std::optional<WireAnswer> wire;
  std::size_t sent = 0;                    // bytes of `wire` that already left
  // The end, told between the two threads: an answer that left as a whole needs nobody awake, unless the connection waits for
  // its end because the client has sent more already.
  enum End : unsigned { Over = 1, Awaited = 2 };
  std::atomic<unsigned> end = 0;
  bool is_over() const { return end.load(std::memory_order_acquire) & Over; }
};

// Connections, and two threads in turn: one leads, that is, runs the context with all that lives on it, so that nothing of it is
// touched by two threads; the other watches. When nothing else runs in the server, the leader does a request's work itself,
// without the way to a pool's thread and back; should that take longer than `patience_of_watcher`, the watcher leads from there,
// and the one who works becomes the watcher when it is done.
struct Loop {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(context);
  std::unordered_set<Connection*> connections;
  std::shared_ptr<Exchange> at_hand;     // the leader's: to be run once its handler has returned
  std::atomic<bool> lent = false;        // the leader is at work; who sets it back to false leads
  std::atomic<bool> watched = false;     // the other thread is there to take over
  std::atomic<bool> stopping = false;
  Alarm alarm;
  std::array<std::thread, 2> threads;
};
constexpr auto patience_of_watcher = std::chrono::microseconds(500);

class BeastServer final : public Server {
 public:
  BeastServer(ServerOptions options, Pools pools, Handler fallback);
  ~BeastServer() override;

  std::uint16_t port() const override { return port_; }
  void begin() override;
  int listening_socket() const override { return listening_socket_; }
  void stop_listening(Waiting) override;
  void serve(const Routes& routes, Authenticator& authenticator, Handler pages) override;
  void serve_instead(const Handler* handler) override { instead = handler; }
  void announce_drain() override { draining_ = true; }
  bool draining() const override { return draining_; }
  void drain() override;
  ServerCounters counters() const override;

  // Runs the exchange on its pool; false when that is full.
  bool dispatch(std::shared_ptr<Exchange> exchange);
  void client_gone(const std::shared_ptr<Exchange>& exchange);
  void connection_closed(Loop& loop, Connection* connection);

  const ServerOptions options;
  const TrustedPeers trusted;
  const Handler fallback;
  std::atomic<const Serving*> serving = nullptr;
  std::atomic<const Handler*> instead = nullptr;
  std::atomic<bool> last_call = false, closing = false;  // connections that idle are to end; all are
  Latencies latencies;
  std::atomic<std::uint64_t> requests = 0, failures = 0, bytes_sent = 0, open = 0, total = 0, body_bytes = 0;
  std::atomic<std::uint64_t> running = 0;  // exchanges that were handed to a thread and are not gone yet
  std::atomic<std::uint64_t> working = 0;  // those whose answer is still being made
  std::string next_request_id() { return id_prefix_ + std::to_string(++request_number_); }
  std::optional<asio::ssl::context> tls;

 private:
  // A socket that listens, on the first loop.
  struct Door {
    tcp::acceptor acceptor;
    asio::steady_timer room;  // cancelled when it closes
    bool is_private;
    bool is_shared;           // others may hold it too
  };
  Door own_door();
  static Door given_door(asio::io_context& context, int socket, bool is_private, bool is_shared);
  static asio::awaitable<void> accept(BeastServer& server, Door& door);
  void welcome(Loop& loop, tcp::socket socket, const tcp::endpoint& peer, bool is_private);
  void attend(Loop& loop, bool leads);
  bool run_here(Loop& loop, std::shared_ptr<Exchange> exchange);
  void run(std::shared_ptr<Exchange> exchange);
  void produce(const std::shared_ptr<Exchange>& exchange, const std::function<void(ResponseStream&)>& producer);
  void complete(const std::shared_ptr<Exchange>& exchange, std::optional<WireAnswer> wire, int status);
  void close_all();

  Pools pools_;
  WorkerPool gone_pool_{"client-gone", 2, 1 << 16};
  std::vector<std::unique_ptr<Loop>> loops_;
  std::unique_ptr<Door> public_door_, private_door_;
  std::atomic<int> listening_socket_ = -1;
  std::atomic<bool> begun_ = false, accepting_ = false;
  std::mutex stop_listening_mutex_;
  bool listening_ended_ = false, left_to_others_ = false;  // GUARDED_BY(stop_listening_mutex_)
  std::uint16_t port_ = 0;
  std::string id_prefix_;
  std::atomic<std::uint64_t> request_number_ = 0;
  std::atomic<bool> draining_ = false;
  std::size_t next_loop_ = 0;                   // the first loop's
  std::unique_ptr<Serving> serving_owner_;
};

// One client. All members belong to the loop's thread, except send_now().
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(BeastServer& server, Loop& loop, asio::ip::address peer, bool is_private) : server_(server), loop_(loop), timer_(loop.context), peer_(peer), is_private_(is_private) {}
  virtual ~Connection() = default;

  static asio::awaitable<void> run(std::shared_ptr<Connection> self) {
    self->loop_.connections.insert(self.get());
    try {
      if (co_await self->shake_hands()) co_await self->serve_requests();
    } catch (const std::exception& problem) {
      log::warning("connection failed", {{"details", problem.what()}});
    }
    self->closed_ = true;
    co_await self->close();
    self->server_.connection_closed(self->loop_, self.get());
  }

  Loop& loop() { return loop_; }
  bool is_private() const { return is_private_; }
  void notify() {
    notified_ = true;
    timer_.cancel();
  }
  // Ends the connection from outside its coroutine (server closing).
  void abort() {
    aborted_ = true;
    cut();
    notify();
  }
  // Worker thread, while the exchange runs and nothing streams: tries to send without waiting; returns the bytes that left.
  virtual std::size_t send_now(const WireAnswer&) { return 0; }

 protected:
  virtual asio::awaitable<bool> shake_hands() = 0;
  virtual void start_read() = 0;                                                  // ends in received() or ended()
  virtual void start_write(const std::array<asio::const_buffer, 3>& buffers) = 0;  // ends in written()
  virtual void cut() = 0;                                                         // both directions, at once
  virtual asio::awaitable<void> close() = 0;
  virtual void stop_sending() = 0;
  virtual bool is_tls() const = 0;

  void received(std::string_view bytes) {
    in_.append(bytes);
    notify();
  }
  void ended() {
    eof_ = true;
    notify();
  }
  void written(bool well) {
    writing_ = false;
    write_failed_ = !well;
    notify();
  }
  // Waits until notified or until the instant.
  asio::awaitable<void> pause(SteadyClock::time_point until) {
    if (!notified_) {
      timer_.expires_at(until);
      co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    notified_ = false;
  }
  void keep_reading() {
    if (reading_ || eof_ || in_.size() >= most_unread) return;
    reading_ = true;
    start_read();
  }

  BeastServer& server_;
  Loop& loop_;
  asio::steady_timer timer_;
  const asio::ip::address peer_;
  const bool is_private_;  // came in by the private socket
  std::string in_;  // received, not parsed yet
  bool notified_ = false, eof_ = false, reading_ = false, writing_ = false, write_failed_ = false, aborted_ = false, closed_ = false;

 private:
  asio::awaitable<void> serve_requests() {
    bool first = true;
    for (;;) {
      if (in_.empty()) {
        in_ = std::string();  // an idle connection keeps no buffers
        auto since = SteadyClock::now();
        auto limit = since + (first ? server_.options.header_time : server_.options.idle_time);
        while (in_.empty()) {
          // The first request of a connection that was just made is on its way.
          if (server_.last_call) limit = std::min(limit, first ? since + first_bytes_time : since);
          if (eof_ || aborted_ || server_.closing || SteadyClock::now() >= limit) co_return;
          keep_reading();
          co_await pause(limit);
        }
      }
      first = false;
      if (!co_await serve_one()) co_return;
    }
  }

  // Reads and answers one request; false: the connection is to be closed.
  asio::awaitable<bool> serve_one() {
    auto exchange = std::make_shared<Exchange>(server_, shared_from_this());
    exchange->began = SteadyClock::now();
    exchange->request.id = server_.next_request_id();
    RequestParser parser(exchange->request);
    parser.header_limit(static_cast<std::uint32_t>(server_.options.header_limit));
    parser.body_limit(boost::none);
    std::size_t header_bytes = 0;
    auto limit = exchange->began + server_.options.header_time;
    while (!parser.is_header_done()) {
      beast::error_code error;
      std::size_t used = parser.put(asio::buffer(in_), error);
      in_.erase(0, used);
      header_bytes += used;
      if (error == beast::http::error::header_limit) header_bytes = server_.options.header_limit + 1;
      if (header_bytes + in_.size() > server_.options.header_limit && (!parser.is_header_done() || header_bytes > server_.options.header_limit)) {
        co_return co_await refuse(*exchange, 431, "The headers of the request are too long: at most " + std::to_string(server_.options.header_limit >> 10) + " kB.");
      }
      if (error == beast::http::error::need_more) {
        if (eof_ || aborted_) co_return false;
        if (SteadyClock::now() >= limit) co_return co_await refuse(*exchange, 408, "The request took too long to arrive.");
        keep_reading();
        co_await pause(limit);
      } else if (error) {
        co_return co_await refuse(*exchange, 400, "This is not an HTTP request: " + error.message() + ".");
      }
    }
    if (auto wrong = understand(*exchange, parser)) co_return co_await refuse(*exchange, wrong->status, wrong->body);

    auto length = parser.content_length();
    if (length && *length > parser.body_limit_bytes) co_return co_await refuse_body(*exchange, parser);
    if (parser.expects_continue && !parser.is_done() && in_.empty()) {
      if (!co_await write("HTTP/1.1 100 Continue\r\n\r\n", {}, {})) co_return false;
    }
    parser.eager(true);
    while (!parser.is_done()) {
      beast::error_code error = beast::http::error::need_more;
      if (!in_.empty()) in_.erase(0, parser.put(asio::buffer(in_), error));
      if (parser.too_large) co_return co_await refuse_body(*exchange, parser);
      if (error && error != beast::http::error::need_more) co_return co_await refuse(*exchange, 400, "The body of the request is broken: " + error.message() + ".");
      if (std::size_t size = exchange->request.body.size(); size > exchange->charged) {
        std::size_t more = size - exchange->charged;
        exchange->charged = size;
        if ((server_.body_bytes += more) > server_.options.bodies_in_memory) {
          co_return co_await refuse(*exchange, 503, "The server is busy with other large requests. Try again in a moment.");
        }
      }
      if (parser.is_done()) break;
      if (eof_ || aborted_) co_return false;
      // A body may take its time as long as something comes.
      auto until = SteadyClock::now() + server_.options.header_time;
      std::size_t known = error ? in_.size() : 0;  // half a chunk's header cannot be used before more of it comes
      while (in_.size() <= known && !eof_ && !aborted_) {
        if (SteadyClock::now() >= until) co_return co_await refuse(*exchange, 408, "The body of the request took too long to arrive.");
        keep_reading();
        co_await pause(until);
      }
    }
    if (!is_private_) ++server_.requests;
    bool well = co_await answer(exchange);
    // A client that was not told in time may send one more.
    if (well && !exchange->form.keep_alive && server_.draining()) co_await linger();
    co_return well && exchange->form.keep_alive && !eof_after_answer();
  }

  bool eof_after_answer() const { return eof_ && in_.empty(); }

  struct Wrong { int status; std::string body; };

  // Target, forwarding headers, route: everything that is decided before the body is read.
  std::optional<Wrong> understand(Exchange& exchange, RequestParser& parser) {
    auto& request = exchange.request;
    auto& form = exchange.form;
    form.request_id = request.id;
    form.keep_alive = parser.keep_alive() && !server_.draining();
    form.http_1_0 = parser.http_1_0;
    form.head_only = request.method == Method::Head;
    if (auto encoding = request.header("accept-encoding")) form.gzip = accepts_gzip(*encoding);
    request.gone = exchange.gone.get_token();
    request.is_https = is_tls();
    request.remote_address = peer_.to_string();
    if (server_.trusted.contains(peer_)) believe_proxy(request);
    form.request_id = request.id;
    form.is_https = request.is_https;
    parser.body_limit_bytes = other_body_limit;
    if (!parser.method_known) return Wrong{501, "This server does not know that method."};

    std::string_view target = parser.target;
    if (target.starts_with("http://") || target.starts_with("https://")) {
      auto slash = target.find('/', target.find("//") + 2);
      target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
    }
    target = target.substr(0, target.find('#'));
    auto question = target.find('?');
    auto raw_path = target.substr(0, question);
    if (question != std::string_view::npos) request.query = parse_query_text(target.substr(question + 1));
    if (!raw_path.starts_with('/')) return Wrong{400, "The path of a request begins with a slash."};
    auto decoded = percent_decoded(raw_path);
    if (!decoded) return Wrong{400, "The path of the request has a broken escape."};
    request.path = std::move(*decoded);
    while (request.path.size() > 1 && request.path.ends_with('/')) request.path.pop_back();
    form.is_api = request.path == "/api" || request.path.starts_with("/api/");

    if (is_private_ && std::find(server_.options.private_paths.begin(), server_.options.private_paths.end(), request.path) == server_.options.private_paths.end()) return std::nullopt;
    exchange.serving = server_.serving;
    const Handler* instead = server_.instead;
    if (instead || !exchange.serving) {
      exchange.handler = instead ? instead : &server_.fallback;
      return std::nullopt;
    }
    auto match = exchange.serving->routes->match(request.method, raw_path);
    if (match.route) {
      exchange.route = match.route;
      request.path_values = std::move(match.path_values);
      parser.body_limit_bytes = match.route->body_limit;
    } else if (!form.is_api) {
      exchange.handler = &exchange.serving->pages;
    }
    return std::nullopt;
  }

  void believe_proxy(Request& request) {
    if (auto forwarded = request.header("x-forwarded-for")) {
      // From the right: the first address that is no proxy of ours is the client; what stands left of it anyone can write.
      std::string_view rest = *forwarded;
      while (!rest.empty()) {
        auto comma = rest.rfind(',');
        auto piece = comma == std::string_view::npos ? rest : rest.substr(comma + 1);
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(0, comma);
        while (!piece.empty() && piece.front() == ' ') piece.remove_prefix(1);
        while (!piece.empty() && piece.back() == ' ') piece.remove_suffix(1);
        boost::system::error_code error;
        auto address = asio::ip::make_address(std::string(piece), error);
        if (error) break;
        request.remote_address = address.to_string();
        if (!server_.trusted.contains(address)) break;
      }
    }
    if (auto scheme = request.header("x-forwarded-proto")) request.is_https = scheme->starts_with("https");
    if (auto id = request.header("x-request-id"); id && !id->empty() && id->size() <= 64) {
      bool plain = std::all_of(id->begin(), id->end(), [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; });
      if (plain) request.id = std::string(*id);
    }
  }

  asio::awaitable<bool> answer(std::shared_ptr<Exchange> exchange) {
    if (!exchange->route && !exchange->handler) {
      Response missing = Response::text("API endpoint does not exist.", 404);
      co_return co_await send(*exchange, missing);
    }
    if (!server_.dispatch(exchange)) {
      co_return co_await answer_here(*exchange, FailureKind::Unavailable, "The server is busy. Try again in a moment.");
    }
    bool gone = false;
    auto last_sent = SteadyClock::now();
    while (!exchange->is_over()) {
      keep_reading();
      if ((!in_.empty() || eof_ || aborted_) && exchange->end.fetch_or(Exchange::Awaited, std::memory_order_acq_rel) & Exchange::Over) break;
      bool streaming = exchange->streaming.load(std::memory_order_acquire);
      auto begins = SteadyClock::now();
      co_await pause(begins + (streaming || begins - exchange->began < idle_tick ? stream_tick : idle_tick));
      if (!gone && (eof_ || aborted_)) {
        gone = true;
        server_.client_gone(exchange);
      }
      streaming = exchange->streaming.load(std::memory_order_acquire);
      if (gone && streaming) exchange->channel->close();  // it may have begun after the client left
      if (gone || exchange->is_over() || !streaming) continue;
      auto now = SteadyClock::now();
      if (auto piece = exchange->channel->take(now - last_sent >= stream_tick)) {
        last_sent = now;
        if (!piece->broken && !co_await write(std::move(piece->head), std::move(piece->bytes), std::move(piece->tail))) {
          gone = true;
          server_.client_gone(exchange);
        }
      }
    }
    if (gone) co_return false;
    if (exchange->wire) {
      auto& wire = *exchange->wire;
      if (exchange->sent < wire.head.size()) wire.head.erase(0, exchange->sent);
      else {
        wire.body.erase(0, exchange->sent - wire.head.size());
        wire.head.clear();
      }
      if (wire.head.empty() && wire.body.empty()) co_return true;
      co_return co_await write(std::move(wire.head), std::move(wire.body), {});
    }
    if (!exchange->streaming) co_return false;
    for (;;) {
      auto piece = exchange->channel->take(true);
      if (!piece || piece->broken) co_return false;
      bool last = piece->last;
      if (!co_await write(std::move(piece->head), std::move(piece->bytes), std::move(piece->tail))) co_return false;
      if (last) co_return !exchange->form.http_1_0;
    }
  }

  asio::awaitable<bool> send(Exchange& exchange, Response& response) {
    auto wire = wire_answer(response, exchange.form);
    if (response.status >= 500 && !is_private_ && exchange.serving) ++server_.failures;
    co_return co_await write(std::move(wire.head), std::move(wire.body), {});
  }

  asio::awaitable<bool> answer_here(Exchange& exchange, FailureKind kind, std::string sentence) {
    auto response = failure_response(Failure(kind, std::move(sentence)), exchange.request.id);
    co_return co_await send(exchange, response);
  }

  // Answers a request that is not read to its end, and closes. What the client still sends is read for a moment, else the
  // reset would take the answer away from it.
  asio::awaitable<bool> refuse(Exchange& exchange, int status, std::string sentence) {
    if (!is_private_) ++server_.requests;
    exchange.form.keep_alive = false;
    exchange.form.request_id = exchange.request.id;
    auto response = Response::text(std::move(sentence), status);
    if (co_await send(exchange, response)) co_await linger();
    co_return false;
  }

  asio::awaitable<void> linger() {
    stop_sending();
    auto limit = SteadyClock::now() + linger_time;
    std::size_t dropped = 0;
    while (!eof_ && !aborted_ && dropped < (64u << 20) && SteadyClock::now() < limit) {
      dropped += in_.size();
      in_.clear();
      keep_reading();
      co_await pause(limit);
    }
  }

  asio::awaitable<bool> refuse_body(Exchange& exchange, const RequestParser& parser) {
    std::size_t limit = parser.body_limit_bytes;
    std::string size = limit >= (1 << 20) ? std::to_string(limit >> 20) + " MB" : std::to_string(limit >> 10) + " kB";
    co_return co_await refuse(exchange, 413, "The body of the request is too large: at most " + size + " here.");
  }

  // In pieces that each have write_time; false when the client is gone or too slow.
  asio::awaitable<bool> write(std::string head, std::string body, std::string tail) {
    std::string_view rest = body;
    bool first = true;
    do {
      auto piece = rest.substr(0, write_piece);
      rest.remove_prefix(piece.size());
      std::array<asio::const_buffer, 3> buffers;
      if (first) buffers[0] = asio::buffer(head);
      buffers[1] = asio::buffer(piece.data(), piece.size());
      if (rest.empty()) buffers[2] = asio::buffer(tail);
      first = false;
      writing_ = true;
      start_write(buffers);
      auto limit = SteadyClock::now() + server_.options.write_time;
      bool late = false;
      while (writing_) {
        keep_reading();
        co_await pause(limit);
        if (writing_ && !late && (SteadyClock::now() >= limit || aborted_)) {
          late = true;
          aborted_ = true;
          cut();
          limit = SteadyClock::time_point::max();
        }
      }
      if (write_failed_ || aborted_) co_return false;
      server_.bytes_sent += asio::buffer_size(buffers);
    } while (!rest.empty());
    co_return true;
  }
};

class PlainConnection final : public Connection {
 public:
  PlainConnection(BeastServer& server, Loop& loop, tcp::socket socket, asio::ip::address peer, bool is_private)
      : Connection(server, loop, peer, is_private), socket_(std::move(socket)) {}

  std::size_t send_now(const WireAnswer& wire) override {
    iovec pieces[2] = {{const_cast<char*>(wire.head.data()), wire.head.size()}, {const_cast<char*>(wire.body.data()), wire.body.size()}};
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = wire.body.empty() ? 1 : 2;
    auto sent = ::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }

 private:
  asio::awaitable<bool> shake_hands() override {
    boost::system::error_code error;
    socket_.set_option(tcp::no_delay(true), error);
    socket_.non_blocking(true, error);
    co_return !error;
  }
  void start_read() override {
    socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this(), this](boost::system::error_code error) {
      reading_ = false;
      if (closed_) return;
      if (error) return ended();
      thread_local std::vector<char> scratch(read_piece);
      std::size_t count = socket_.read_some(asio::buffer(scratch), error);
      if (error == asio::error::would_block || error == asio::error::try_again) return keep_reading();
      if (error) return ended();
      received({scratch.data(), count});
    });
  }
  void start_write(const std::array<asio::const_buffer, 3>& buffers) override {
    asio::async_write(socket_, buffers, [self = shared_from_this(), this](boost::system::error_code error, std::size_t) { written(!error); });
  }
  void cut() override {
    boost::system::error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.cancel(ignored);
  }
  void stop_sending() override {
    boost::system::error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
  }
  asio::awaitable<void> close() override {
    boost::system::error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
    co_return;
  }
  bool is_tls() const override { return false; }

  tcp::socket socket_;
};

class TlsConnection final : public Connection {
 public:
  TlsConnection(BeastServer& server, Loop& loop, tcp::socket socket, asio::ip::address peer)
      : Connection(server, loop, peer, false), stream_(std::move(socket), *server.tls), buffer_(16 << 10) {}

 private:
  asio::awaitable<bool> shake_hands() override {
    boost::system::error_code error;
    stream_.next_layer().set_option(tcp::no_delay(true), error);
    writing_ = true;
    stream_.async_handshake(asio::ssl::stream_base::server, [self = shared_from_this(), this](boost::system::error_code problem) { written(!problem); });
    auto limit = SteadyClock::now() + server_.options.header_time;
    bool late = false;
    while (writing_) {
      co_await pause(limit);
      if (writing_ && !late && (SteadyClock::now() >= limit || aborted_)) {
        late = true;
        cut();
        limit = SteadyClock::time_point::max();
      }
    }
    co_return !write_failed_;
  }
  void start_read() override {
    stream_.async_read_some(asio::buffer(buffer_), [self = shared_from_this(), this](boost::system::error_code error, std::size_t count) {
      reading_ = false;
      if (closed_) return;
      if (error) return ended();
      received({buffer_.data(), count});
    });
  }
  void start_write(const std::array<asio::const_buffer, 3>& buffers) override {
    asio::async_write(stream_, buffers, [self = shared_from_this(), this](boost::system::error_code error, std::size_t) { written(!error); });
  }
  void cut() override {
    boost::system::error_code ignored;
    stream_.next_layer().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.next_layer().cancel(ignored);
  }
  void stop_sending() override {}
  asio::awaitable<void> close() override {
    if (!aborted_ && !write_failed_) {
      // Our close_notify, without waiting for the other one for long.
      writing_ = true;
      stream_.async_shutdown([self = shared_from_this(), this](boost::system::error_code) { written(true); });
      auto limit = SteadyClock::now() + milliseconds(500);
      while (writing_) {
        co_await pause(limit);
        if (writing_ && SteadyClock::now() >= limit) {
          cut();
          limit = SteadyClock::time_point::max();
        }
      }
    }
    boost::system::error_code ignored;
    stream_.next_layer().close(ignored);
  }
  bool is_tls() const override { return true; }

  asio::ssl::stream<tcp::socket> stream_;
  std::vector<char> buffer_;
};

Exchange::~Exchange() {
  server.body_bytes -= charged;
  if (running) --server.running;
}

BeastServer::BeastServer(ServerOptions chosen, Pools pools, Handler fallback_handler)
    : options(std::move(chosen)), trusted(options.trusted_proxies), fallback(std::move(fallback_handler)), pools_(pools), id_prefix_(random_hex(4) + "-") {
  if (!options.tls_certificate_file.empty() || !options.tls_key_file.empty()) {
    tls.emplace(asio::ssl::context::tls_server);
    boost::system::error_code error;
    tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 | asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                     asio::ssl::context::no_tlsv1_1 | asio::ssl::context::single_dh_use);
    tls->use_certificate_chain_file(options.tls_certificate_file, error);
    if (error) throw Failure(FailureKind::Unavailable, "The TLS certificate " + options.tls_certificate_file + " cannot be read as PEM.").with_details(error.message());
    tls->use_private_key_file(options.tls_key_file, asio::ssl::context::pem, error);
    if (error) throw Failure(FailureKind::Unavailable, "The TLS key " + options.tls_key_file + " cannot be read as PEM, or does not belong to the certificate.").with_details(error.message());
  }
  for (std::size_t i = 0; i < std::max<std::size_t>(1, options.network_threads); ++i) loops_.push_back(std::make_unique<Loop>());
  public_door_ = options.inherited_socket >= 0 ? std::make_unique<Door>(given_door(loops_.front()->context, options.inherited_socket, false, !options.inherited_alone)) : std::make_unique<Door>(own_door());
  port_ = public_door_->acceptor.local_endpoint().port();
  listening_socket_ = public_door_->acceptor.native_handle();
  if (options.private_socket >= 0) private_door_ = std::make_unique<Door>(given_door(loops_.front()->context, options.private_socket, true, true));
  if (private_door_) asio::co_spawn(loops_.front()->context, accept(*this, *private_door_), asio::detached);
  if (!options.wait_for_begin) begin();
  for (auto& loop : loops_) {
    for (std::size_t i = 0; i < loop->threads.size(); ++i) loop->threads[i] = std::thread([this, &loop = *loop, i] { attend(loop, i == 0); });
  }
}

void BeastServer::attend(Loop& loop, bool leads) {
  pthread_setname_np(pthread_self(), "network");
  for (;;) {
    if (!leads) {
      loop.watched = true;
      while (!leads && !loop.stopping) {
        loop.alarm.wait();
        leads = loop.lent.exchange(false);
      }
      loop.watched = false;
    }
    if (loop.stopping) return;
    try {
      loop.context.run_one();
      if (loop.context.stopped()) return;
      if (loop.at_hand) leads = run_here(loop, std::move(loop.at_hand));
    } catch (const std::exception& problem) {
      log::error("network thread", {{"details", problem.what()}});
    }
  }
}

// The leader's: false when the watcher has taken over meanwhile.
bool BeastServer::run_here(Loop& loop, std::shared_ptr<Exchange> exchange) {
  loop.lent = true;
  loop.alarm.ring_after(patience_of_watcher);
  auto& pool = *exchange->counted_by;
  run(std::move(exchange));
  pool.end_here();
  if (!loop.lent.exchange(false)) return false;
  loop.alarm.ring_after(std::chrono::nanoseconds(0));
  if (loop.stopping) loop.alarm.ring_after(std::chrono::nanoseconds(1));  // our switching it off may have come after the last ring
  return true;
}

BeastServer::Door BeastServer::own_door() {
  auto& context = loops_.front()->context;
  boost::system::error_code error;
  auto address = asio::ip::make_address(options.address == "localhost" ? "127.0.0.1" : options.address, error);
  if (error) {
    auto found = tcp::resolver(context).resolve(options.address, "", error);
    if (error || found.empty()) throw Failure(FailureKind::Unavailable, "The address to listen on, " + options.address + ", is not one of this machine.");
    address = found.begin()->endpoint().address();
  }
  tcp::endpoint endpoint(address, options.port);
  Door door{tcp::acceptor(context), asio::steady_timer(context), false, false};
  door.acceptor.open(endpoint.protocol(), error);
  if (!error) door.acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) door.acceptor.bind(endpoint, error);
  if (!error) door.acceptor.listen(1024, error);
  auto place = std::to_string(options.port) + " on " + options.address;
  if (error == asio::error::address_in_use) throw Failure(FailureKind::Unavailable, "Port " + place + " is in use by another program. Stop that one, or choose another port.");
  if (error == asio::error::access_denied) throw Failure(FailureKind::Unavailable, "Port " + place + " may not be used without more rights. Choose one above 1023.");
  if (error) throw Failure(FailureKind::Unavailable, "Cannot listen on port " + place + ": " + error.message() + ".");
  return door;
}

BeastServer::Door BeastServer::given_door(asio::io_context& context, int socket, bool is_private, bool is_shared) {
  sockaddr_storage at{};
  socklen_t size = sizeof at;
  boost::system::error_code error;
  int copy = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
  Door door{tcp::acceptor(context), asio::steady_timer(context), is_private, is_shared};
  if (copy < 0 || ::getsockname(copy, reinterpret_cast<sockaddr*>(&at), &size) != 0) error.assign(errno, boost::system::system_category());
  else door.acceptor.assign(at.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), copy, error);  // assign: asio then knows that others may hold it
  if (error) throw Failure(FailureKind::Unavailable, "The socket that this server was started with cannot be used: " + error.message() + ".");
  return door;
}

void BeastServer::begin() {
  if (begun_.exchange(true)) return;
  asio::post(loops_.front()->context, [this] {
    if (!public_door_->acceptor.is_open()) return;
    accepting_ = true;
    asio::co_spawn(loops_.front()->context, accept(*this, *public_door_), [this](const std::exception_ptr&) {
      accepting_ = false;
      accepting_.notify_all();
    });
  });
}

asio::awaitable<void> BeastServer::accept(BeastServer& server, Door& door) {
  while (door.acceptor.is_open()) {
    if (server.open >= server.options.connections && !door.is_private) {
      // The rest waits in the kernel's backlog until somebody leaves.
      door.room.expires_after(std::chrono::milliseconds(200));
      co_await door.room.async_wait(asio::as_tuple(asio::use_awaitable));
      continue;
    }
    auto& loop = *server.loops_[server.next_loop_++ % server.loops_.size()];
    tcp::socket socket(loop.context);
    tcp::endpoint peer;
    auto [error] = co_await door.acceptor.async_accept(socket, peer, asio::as_tuple(asio::use_awaitable));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      // Out of file descriptors, mostly: others may close.
      door.room.expires_after(std::chrono::milliseconds(100));
      co_await door.room.async_wait(asio::as_tuple(asio::use_awaitable));
      continue;
    }
    server.welcome(loop, std::move(socket), peer, door.is_private);
  }
}

void BeastServer::welcome(Loop& loop, tcp::socket socket, const tcp::endpoint& peer, bool is_private) {
  ++open;
  ++total;
  std::shared_ptr<Connection> connection;
  if (tls && !is_private) connection = std::make_shared<TlsConnection>(*this, loop, std::move(socket), peer.address());
  else connection = std::make_shared<PlainConnection>(*this, loop, std::move(socket), peer.address(), is_private);
  asio::co_spawn(loop.context, Connection::run(connection), asio::detached);
}

void BeastServer::connection_closed(Loop& loop, Connection* connection) {
  loop.connections.erase(connection);
  --open;
}

void BeastServer::serve(const Routes& routes, Authenticator& authenticator, Handler pages) {
  serving_owner_ = std::make_unique<Serving>(Serving{&routes, &authenticator, std::move(pages)});
  serving = serving_owner_.get();
}

bool BeastServer::dispatch(std::shared_ptr<Exchange> exchange) {
  exchange->running = true;
  ++running;
  bool alone = working++ == 0;
  auto choice = exchange->route ? exchange->route->pool_choice : Pool::Application;
  auto& loop = exchange->connection->loop();
  auto& pool = choice == Pool::Query ? pools_.query : choice == Pool::Hashing ? pools_.hashing : pools_.application;
  if (alone && choice != Pool::Hashing && loop.watched && pool.begin_here()) {
    exchange->counted_by = &pool;
    loop.at_hand = std::move(exchange);
    return true;
  }
  bool taken = pool.submit([this, exchange = std::move(exchange)]() mutable { run(std::move(exchange)); });
  if (!taken) --working;
  return taken;
}

void BeastServer::run(std::shared_ptr<Exchange> exchange) {
  Response response;
  try {
    auto& request = exchange->request;
    if (exchange->gone.stop_requested()) throw Failure(FailureKind::Cancelled, "The client went away.");
    if (auto* route = exchange->route) {
      request.caller_or_none = exchange->serving->authenticator->authenticate(request);
      if (route->access_rule != Access::Open) {
        auto& caller = request.caller();
        if (route->access_rule == Access::Administrator && !caller.is_administrator) throw forbidden();
      }
      response = route->handler(request);
    } else {
      response = (*exchange->handler)(request);
    }
    if (response.producer) {
      if (exchange->route && exchange->route->pool_choice == Pool::Query) return produce(exchange, response.producer);
      auto producer = std::make_shared<std::function<void(ResponseStream&)>>(std::move(response.producer));
      if (pools_.query.submit([this, exchange, producer] { produce(exchange, *producer); })) return;
      throw Failure(FailureKind::Unavailable, "Too many queries wait already. Try again in a moment.");
    }
  } catch (...) {
    response = failure_response(std::current_exception(), exchange->request);
  }
  int status = response.status;
  if (draining_) exchange->form.keep_alive = false;
  std::optional<WireAnswer> wire;
  try {
    wire = wire_answer(response, exchange->form);
  } catch (const std::exception& problem) {
    log::error("answer lost", {{"request", exchange->request.id}, {"details", problem.what()}});
  }
  complete(exchange, std::move(wire), status);
}

void BeastServer::produce(const std::shared_ptr<Exchange>& exchange, const std::function<void(ResponseStream&)>& producer) {
  auto& x = *exchange;
  auto wake = [&x] { asio::post(x.connection->loop().context, [kept = x.shared_from_this()] { kept->connection->notify(); }); };
  x.channel = std::make_unique<StreamChannel>(x.form, wake);
  x.streaming.store(true, std::memory_order_release);
  if (SteadyClock::now() - x.began > stream_tick) wake();  // the connection may sleep in its longer tick
  std::optional<WireAnswer> wire;
  int status = 200;
  try {
    producer(*x.channel);
    wire = x.channel->finish();
    status = x.channel->status();
  } catch (...) {
    auto response = failure_response(std::current_exception(), x.request);
    status = response.status;
    if (x.channel->fail()) wire = wire_answer(response, x.form);
    else if (status != 499) log::warning("answer cut short", {{"request", x.request.id}});
  }
  complete(exchange, std::move(wire), status);
}

void BeastServer::complete(const std::shared_ptr<Exchange>& exchange, std::optional<WireAnswer> wire, int status) {
  // What the launcher asks says nothing of how people fare.
  // Nor does that a server is starting: it is no fault of its version.
  if (!exchange->connection->is_private() && exchange->serving) {
    if (status >= 500) ++failures;
    latencies.add(SteadyClock::now() - exchange->began);
  }
  if (options.log_requests) {
    auto took = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - exchange->began).count();
    // The pattern, not the path: paths of embedded objects hold their tokens.
    log::info("request", {{"request", exchange->request.id}, {"route", exchange->route ? exchange->route->pattern : "page"},
                          {"status", std::to_string(status)}, {"ms", std::to_string(took / 1000) + "." + std::to_string(took % 1000 / 100)}});
  }
  if (wire) {
    // Sent from here when the socket takes it: saves the way over the network thread.
    exchange->sent = exchange->connection->send_now(*wire);
    bytes_sent += exchange->sent;
    exchange->wire = std::move(wire);
  }
  --working;
  bool left = exchange->wire && exchange->form.keep_alive && exchange->sent == exchange->wire->head.size() + exchange->wire->body.size();
  auto before = exchange->end.fetch_or(Exchange::Over, std::memory_order_acq_rel);
  // Else the next request wakes the network thread, or its next tick.
  if (!left || before & Exchange::Awaited) asio::post(exchange->connection->loop().context, [kept = exchange] { kept->connection->notify(); });
}

void BeastServer::client_gone(const std::shared_ptr<Exchange>& exchange) {
  if (exchange->streaming.load(std::memory_order_acquire)) exchange->channel->close();
  // Stopping may talk to a database: not on this thread.
  if (!gone_pool_.submit([exchange] { exchange->gone.request_stop(); })) log::warning("cancellation lost", {{"request", exchange->request.id}});
}

ServerCounters BeastServer::counters() const {
  return {.requests = requests, .failures = failures, .connections_open = open, .connections_total = total, .bytes_sent = bytes_sent, .p95_ms = latencies.p95_ms()};
}

void BeastServer::drain() {
  announce_drain();
  auto wait_until = [](const auto& ready, std::chrono::milliseconds most) {
    auto limit = SteadyClock::now() + most;
    while (!ready() && SteadyClock::now() < limit) std::this_thread::sleep_for(std::min<SteadyClock::duration>(milliseconds(5), limit - SteadyClock::now()));
  };
  auto nobody_is_here = [this] { return open == 0; };
  bool successor;
  {
    std::lock_guard lock(stop_listening_mutex_);
    successor = left_to_others_;
  }
  if (!successor) std::this_thread::sleep_for(options.drain_notice);
  wait_until(nobody_is_here, options.drain_grace);
  last_call = true;
  for (auto& loop : loops_) {
    asio::post(loop->context, [&loop = *loop] {
      for (auto* connection : loop.connections) connection->notify();
    });
  }
  stop_listening(Waiting::Ours);
  wait_until([this] { return running == 0; }, options.drain_time);
  wait_until(nobody_is_here, std::chrono::seconds(2));  // requests that are not here as a whole, TLS's farewells
  close_all();
  wait_until([this] { return running == 0; }, std::chrono::seconds(5));  // cancelled queries come back
}

// Closing a socket that listens resets the connections that wait to be accepted. So first the kernel drops what would begin
// another one (who is dropped asks again in a second, and is refused then), then those that wait are taken. A socket that others
// hold as well listens on: it must not drop anything.
void BeastServer::stop_listening(Waiting waiting) {
  std::lock_guard lock(stop_listening_mutex_);
  if (std::exchange(listening_ended_, true)) return;
  left_to_others_ = waiting == Waiting::SomebodyElses;
  if (!public_door_->is_shared && !left_to_others_) {
    constexpr int flags_at = 13, syn = 0x02, ack = 0x10;  // of a TCP header, where the filter begins to read
    sock_filter steps[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, flags_at), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, syn | ack), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, syn, 0, 1),
                           BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, 0xffffffff)};
    sock_fprog drop_new{static_cast<unsigned short>(std::size(steps)), steps};
    bool dropping = setsockopt(public_door_->acceptor.native_handle(), SOL_SOCKET, SO_ATTACH_FILTER, &drop_new, sizeof drop_new) == 0;
    if (dropping) std::this_thread::sleep_for(handshake_time);
  }
  std::promise<void> stopped;
  asio::post(loops_.front()->context, [&] {
    boost::system::error_code error;
    auto& acceptor = public_door_->acceptor;
    acceptor.non_blocking(true, error);
    while (!error && begun_ && !left_to_others_) {
      auto& loop = *loops_[next_loop_++ % loops_.size()];
      tcp::socket socket(loop.context);
      tcp::endpoint peer;
      acceptor.accept(socket, peer, error);
      if (!error) welcome(loop, std::move(socket), peer, false);
    }
    listening_socket_ = -1;
    // Not close(): it trusts that the kernel then forgets the socket, and somebody may hold another descriptor of it.
    if (acceptor.is_open()) ::close(acceptor.release(error));
    public_door_->room.cancel();
    stopped.set_value();
  });
  stopped.get_future().wait();
  accepting_.wait(true);  // one who was just taken is counted as being here by then
}

void BeastServer::close_all() {
  if (closing.exchange(true)) return;
  asio::post(loops_.front()->context, [this] {
    boost::system::error_code ignored;
    for (auto* door : {public_door_.get(), private_door_.get()}) {
      if (!door) continue;
      door->acceptor.close(ignored);
      door->room.cancel();
    }
    listening_socket_ = -1;
  });
  for (auto& loop : loops_) {
    asio::post(loop->context, [&loop = *loop] {
      for (auto* connection : std::vector<Connection*>(loop.connections.begin(), loop.connections.end())) connection->abort();
    });
  }
}

BeastServer::~BeastServer() {
  draining_ = true;
  close_all();
  // Workers hold references to this server.
  while (running > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  auto limit = SteadyClock::now() + std::chrono::seconds(2);
  while (open > 0 && SteadyClock::now() < limit) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  for (auto& loop : loops_) {
    loop->work.reset();
    loop->context.stop();
    loop->stopping = true;
    loop->alarm.ring_after(std::chrono::nanoseconds(1));
  }
  for (auto& loop : loops_) {
    for (auto& thread : loop->threads) thread.join();
  }
}

}  // namespace

std::unique_ptr<Server> Server::listen(ServerOptions options, Pools pools, Handler fallback) {
  return std::make_unique<BeastServer>(std::move(options), pools, std::move(fallback));
}

}  // namespace basalt::http
