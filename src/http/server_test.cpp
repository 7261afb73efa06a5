#include "http/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <zlib.h>

#include <filesystem>

#include "base/random.h"
#include "http/compression.h"

namespace basalt::http {
namespace {

using namespace std::chrono_literals;

// A client on a raw socket, so that tests say exactly what goes over the wire.
class Wire {
 public:
  explicit Wire(std::uint16_t port, int receive_buffer = 0) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer) setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Wire() { close(); }
  void close() { if (socket_ >= 0) ::close(socket_); socket_ = -1; }
  bool send(std::string_view text) {
    while (!text.empty()) {
      auto sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // What has come until `enough` says so, the connection ends or `most` has passed.
  const std::string& read_until(const std::function<bool(const std::string&)>& enough, std::chrono::milliseconds most = 5s) {
    auto limit = std::chrono::steady_clock::now() + most;
    while (!enough(in) && !ended) {
      auto left = std::chrono::duration_cast<std::chrono::milliseconds>(limit - std::chrono::steady_clock::now()).count();
      pollfd wait{socket_, POLLIN, 0};
      if (left <= 0 || ::poll(&wait, 1, static_cast<int>(left)) <= 0) break;
      char piece[65536];
      auto count = ::recv(socket_, piece, sizeof piece, 0);
      if (count <= 0) ended = true;
      else in.append(piece, static_cast<std::size_t>(count));
    }
    return in;
  }
  // One answer with Content-Length, or a chunked one with its frames, taken off the wire.
  std::string answer() {
    auto head_end = [](const std::string& text) { return text.find("\r\n\r\n"); };
    read_until([&](auto& text) { return head_end(text) != std::string::npos; });
    auto end = head_end(in);
    if (end == std::string::npos) return std::exchange(in, {});
    std::size_t total = end + 4;
    auto head = in.substr(0, end);
    if (auto at = head.find("Content-Length: "); at != std::string::npos) {
      total += std::stoul(head.substr(at + 16));
      read_until([&](auto& text) { return text.size() >= total; });
    } else if (head.find("chunked") != std::string::npos) {
      read_until([&](auto& text) { return text.find("0\r\n\r\n", end) != std::string::npos; });
      total = in.find("0\r\n\r\n", end) + 5;
    }
    auto one = in.substr(0, total);
    in.erase(0, std::min(total, in.size()));
    return one;
  }
  std::string to_end() { read_until([](auto&) { return false; }); return in; }

  std::string in;
  bool ended = false, connected = false;

 private:
  int socket_;
};

std::string body_of(const std::string& answer) {
  auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}
int status_of_answer(const std::string& answer) { return answer.size() > 12 ? std::stoi(answer.substr(9, 3)) : 0; }
std::string get(std::string_view path, std::string_view more = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(more) + "\r\n";
}

class NoOne : public Authenticator {
 public:
  std::shared_ptr<const Caller> authenticate(const Request& request) override {
    if (request.header("x-test-person") == "admin") return std::make_shared<Caller>(Caller{.person = PersonId(1), .email = "a@b.co", .is_administrator = true});
    if (request.header("x-test-person")) return std::make_shared<Caller>(Caller{.person = PersonId(2), .email = "c@b.co"});
    return nullptr;
  }
};

// Latches that tests open and wait for, instead of sleeping.
struct Gate {
  void open() { { std::lock_guard lock(mutex); opened = true; } changed.notify_all(); }
  bool wait(std::chrono::milliseconds most = 5s) { std::unique_lock lock(mutex); return changed.wait_for(lock, most, [&] { return opened; }); }
  std::mutex mutex;
  std::condition_variable changed;
  bool opened = false;
};

class ServerTest : public ::testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    options.port = 0;
    routes.get("/api/hello", [](Request& request) { return json::value("hello " + request.query_value("name").value_or("")); }).open();
    routes.get("/api/secret", [](Request& request) { return json::value(request.caller().email); });
    routes.get("/api/admin", [](Request&) { return json::value("yes"); }).administrator();
    routes.post("/api/echo", [](Request& request) { return Response::text(request.body); }).open().body_up_to(100'000);
    routes.get("/api/who", [](Request& request) { return json::value(request.remote_address + (request.is_https ? " https" : " http")); }).open();
    routes.get("/api/big", [](Request&) { return json::value(std::string(50'000, 'x')); }).open();
    routes.get("/api/bug", [](Request&) -> Response { throw std::runtime_error("inner secret"); }).open();
    routes.get("/api/wait", [this](Request& request) {
      entered.open();
      std::stop_callback stop(request.gone, [this] { stop_thread = std::this_thread::get_id(); gone.open(); });
      release.wait(10s);
      return json::value("done");
    }).open();
    routes.get("/api/stream", [this](Request& request) {
      auto pieces = request.query_integer("pieces").value_or(3);
      return Response::stream([this, pieces](ResponseStream& out) {
        out.start(202, {{"Content-Type", "application/json;charset=utf-8"}});
        std::string piece(32 << 10, 'y');
        try {
          for (std::int64_t i = 0; i < pieces; ++i) {
            out.write(piece);
            ++written;
          }
        } catch (const Failure& failure) {
          cancelled = failure.kind() == FailureKind::Cancelled;
          gone.open();
          throw;
        }
      });
    }).open().runs_on(Pool::Query);
    routes.get("/api/small-stream", [](Request&) {
      return Response::stream([](ResponseStream& out) { out.start(202, {{"Content-Type", "application/json"}}); out.write("{\"a\":"); out.write("1}"); });
    }).open().runs_on(Pool::Query);
    routes.get("/api/slow-stream", [this](Request&) {
      return Response::stream([this](ResponseStream& out) {
        out.start(200, {{"Content-Type", "text/csv"}});
        out.write("first\r\n");
        release.wait(10s);
        out.write("second\r\n");
      });
    }).open();
    routes.get("/api/fails-before", [](Request&) { return Response::stream([](ResponseStream&) { throw bad_field("query", "No."); }); }).open();
    routes.get("/api/fails-midway", [](Request&) {
      return Response::stream([](ResponseStream& out) {
        out.start(200, {});
        out.write(std::string(100'000, 'z'));
        throw std::runtime_error("broke");
      });
    }).open();
    server = Server::listen(options, {application, query, hashing}, [](Request&) { return Response::text("starting", 503); });
  }
  void serve() { server->serve(routes, authenticator, [](Request& request) { return Response::html("page " + request.path); }); }
  void TearDown() override { release.open(); server.reset(); }

  Gate entered, gone, release;
  std::atomic<std::int64_t> written = 0;
  std::atomic<bool> cancelled = false;
  std::thread::id stop_thread;
  WorkerPool application{"app", 4, 100}, query{"query", 4, 100}, hashing{"hash", 1, 10};
  Routes routes;
  NoOne authenticator;
  std::unique_ptr<Server> server;
};

TEST_F(ServerTest, answers_with_the_fallback_until_it_serves) {
  start();
  Wire wire(server->port());
  wire.send(get("/api/hello"));
  auto first = wire.answer();
  EXPECT_EQ(status_of_answer(first), 503);
  EXPECT_EQ(body_of(first), "starting");
  EXPECT_EQ(server->counters().failures, 0u) << "that a server starts is no failure of its version";
  serve();
  wire.send(get("/api/hello?name=you"));
  EXPECT_EQ(body_of(wire.answer()), "\"hello you\"") << "the same connection is kept";
}

TEST_F(ServerTest, keeps_connections_and_answers_pipelined_requests_in_order) {
  start();
  serve();
  Wire wire(server->port());
  std::string many;
  for (int i = 0; i < 50; ++i) many += get("/api/hello?name=" + std::to_string(i));
  wire.send(many);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(body_of(wire.answer()), "\"hello " + std::to_string(i) + "\"");
  EXPECT_EQ(server->counters().connections_total, 1u);
  EXPECT_EQ(server->counters().requests, 50u);
}

TEST_F(ServerTest, sends_the_standard_headers) {
  start();
  serve();
  Wire wire(server->port());
  wire.send(get("/api/hello"));
  auto answer = wire.answer();
  for (auto* header : {"Cache-Control: max-age=0, no-cache, must-revalidate, proxy-revalidate\r\n", "Expires: Tue, 03 Jul 2001 06:00:00 GMT\r\n",
                       "X-Frame-Options: DENY\r\n", "X-Content-Type-Options: nosniff\r\n", "Content-Type: application/json;charset=utf-8\r\n",
                       "X-Request-Id: ", "Content-Security-Policy: ", "Content-Length: 8\r\n"}) {
    EXPECT_NE(answer.find(header), std::string::npos) << header;
  }
  EXPECT_EQ(answer.find("Strict-Transport-Security"), std::string::npos);
}

TEST_F(ServerTest, tells_missing_routes_rights_and_pages_apart) {
  start();
  serve();
  Wire wire(server->port());
  auto ask = [&](std::string_view request) { wire.send(request); return wire.answer(); };
  auto missing = ask(get("/api/nothing"));
  EXPECT_EQ(status_of_answer(missing), 404);
  EXPECT_EQ(body_of(missing), "API endpoint does not exist.");
  EXPECT_EQ(body_of(ask("DELETE /api/hello HTTP/1.1\r\nHost: x\r\n\r\n")), "API endpoint does not exist.");
  EXPECT_EQ(body_of(ask(get("/question/1"))), "page /question/1");
  EXPECT_EQ(status_of_answer(ask(get("/api/secret"))), 401);
  EXPECT_EQ(body_of(ask(get("/api/secret", "X-Test-Person: someone\r\n"))), "\"c@b.co\"");
  EXPECT_EQ(status_of_answer(ask(get("/api/admin"))), 401);
  EXPECT_EQ(status_of_answer(ask(get("/api/admin", "X-Test-Person: someone\r\n"))), 403);
  EXPECT_EQ(status_of_answer(ask(get("/api/admin", "X-Test-Person: admin\r\n"))), 200);
  auto bug = ask(get("/api/bug"));
  EXPECT_EQ(status_of_answer(bug), 500);
  EXPECT_EQ(bug.find("inner secret"), std::string::npos);
  wire.send("HEAD /api/hello HTTP/1.1\r\nHost: x\r\n\r\n");
  wire.read_until([](auto& text) { return text.find("\r\n\r\n") != std::string::npos; });
  EXPECT_NE(wire.in.find("Content-Length: 8\r\n"), std::string::npos);
  EXPECT_EQ(body_of(wire.in), "");
}

TEST_F(ServerTest, refuses_what_is_no_request) {
  start();
  serve();
  for (auto* text : {"nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /%zz HTTP/1.1\r\n\r\n", "GET * HTTP/1.1\r\n\r\n"}) {
    Wire wire(server->port());
    wire.send(text);
    auto answer = wire.to_end();
    EXPECT_EQ(status_of_answer(answer), 400) << text << answer;
    EXPECT_TRUE(wire.ended);
  }
  Wire trace(server->port());
  trace.send("TRACE / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(status_of_answer(trace.to_end()), 501);
}

TEST_F(ServerTest, cuts_headers_that_are_too_long_or_too_slow) {
  ServerOptions options;
  options.header_limit = 4096;
  options.header_time = 1s;
  start(options);
  serve();
  Wire long_one(server->port());
  long_one.send("GET /api/hello HTTP/1.1\r\nX-Long: " + std::string(10'000, 'a') + "\r\n\r\n");
  EXPECT_EQ(status_of_answer(long_one.to_end()), 431);
  Wire many(server->port());
  std::string head = "GET /api/hello HTTP/1.1\r\n";
  for (int i = 0; i < 400; ++i) head += "X-" + std::to_string(i) + ": value\r\n";
  many.send(head + "\r\n");
  EXPECT_EQ(status_of_answer(many.to_end()), 431);
  Wire slow(server->port());
  slow.send("GET /api/hello HTTP/1.1\r\nHost:");
  EXPECT_EQ(status_of_answer(slow.to_end()), 408);
  EXPECT_TRUE(slow.ended);
}

TEST_F(ServerTest, takes_bodies_up_to_the_routes_limit) {
  start();
  serve();
  Wire wire(server->port());
  auto post = [](std::string_view body) { return "POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body); };
  std::string allowed(100'000, 'b');
  wire.send(post(allowed));
  EXPECT_EQ(body_of(wire.answer()), allowed);
  wire.send("POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n" + get("/api/hello"));
  EXPECT_EQ(body_of(wire.answer()), "hello world");
  EXPECT_EQ(body_of(wire.answer()), "\"hello \"");
  wire.send(post(std::string(100'001, 'b')));
  EXPECT_EQ(status_of_answer(wire.to_end()), 413);
  EXPECT_TRUE(wire.ended);
  Wire chunked(server->port());
  chunked.send("POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  std::string chunk = "8000\r\n" + std::string(0x8000, 'c') + "\r\n";
  for (int i = 0; i < 4; ++i) chunked.send(chunk);
  EXPECT_EQ(status_of_answer(chunked.to_end()), 413);
}

TEST_F(ServerTest, a_huge_announced_body_is_refused_before_it_comes) {
  start();
  serve();
  Wire wire(server->port());
  wire.send("POST /api/echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99999999999\r\n\r\n");
  EXPECT_EQ(status_of_answer(wire.to_end()), 413);
  Wire small(server->port());
  small.send("POST /api/echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  small.read_until([](auto& text) { return text.find("\r\n\r\n") != std::string::npos; });
  EXPECT_EQ(status_of_answer(small.in), 100);
  small.in.clear();
  small.send("ok");
  EXPECT_EQ(body_of(small.answer()), "ok");
}

TEST_F(ServerTest, streams_in_chunks_and_short_streams_whole) {
  start();
  serve();
  Wire wire(server->port());
  wire.send(get("/api/small-stream"));
  auto small = wire.answer();
  EXPECT_EQ(status_of_answer(small), 202);
  EXPECT_EQ(body_of(small), "{\"a\":1}");
  EXPECT_NE(small.find("Content-Length: 7"), std::string::npos);
  wire.send(get("/api/stream?pieces=40"));
  auto large = wire.answer();
  EXPECT_NE(large.find("Transfer-Encoding: chunked"), std::string::npos);
  EXPECT_EQ(std::count(large.begin() + static_cast<long>(large.find("\r\n\r\n")), large.end(), 'y'), 40 * (32 << 10));
  wire.send(get("/api/hello"));
  EXPECT_EQ(body_of(wire.answer()), "\"hello \"");
  Wire old(server->port());
  old.send("GET /api/stream?pieces=40 HTTP/1.0\r\n\r\n");
  auto whole = old.to_end();
  EXPECT_EQ(whole.find("chunked"), std::string::npos);
  EXPECT_EQ(body_of(whole).size(), 40u * (32 << 10));
}

TEST_F(ServerTest, the_first_rows_leave_before_the_last_are_made) {
  start();
  serve();
  Wire wire(server->port());
  wire.send(get("/api/slow-stream"));
  wire.read_until([](auto& text) { return text.find("first") != std::string::npos; }, 2s);
  EXPECT_NE(wire.in.find("first\r\n"), std::string::npos);
  EXPECT_EQ(wire.in.find("second"), std::string::npos);
  release.open();
  EXPECT_NE(wire.answer().find("second"), std::string::npos);
}

TEST_F(ServerTest, a_slow_reader_slows_the_producer_and_leaving_cancels_it) {
  start();
  serve();
  Wire wire(server->port(), 4096);
  wire.send(get("/api/stream?pieces=4000"));
  wire.read_until([](auto& text) { return text.size() > 1000; });
  // The producer stands still once channel and kernel are full, far below the 128 MB.
  std::int64_t before = -1;
  while (before != written) {
    before = written;
    gone.wait(200ms);
  }
  EXPECT_LT(before, 400);
  EXPECT_FALSE(cancelled);
  wire.close();
  EXPECT_TRUE(gone.wait());
  EXPECT_TRUE(cancelled);
}

TEST_F(ServerTest, a_client_that_leaves_stops_its_request_on_a_worker_thread) {
  start();
  serve();
  {
    Wire wire(server->port());
    wire.send(get("/api/wait"));
    ASSERT_TRUE(entered.wait());
  }
  EXPECT_TRUE(gone.wait());
  EXPECT_NE(stop_thread, std::this_thread::get_id());
  release.open();
  Wire other(server->port());
  other.send(get("/api/hello"));
  EXPECT_EQ(body_of(other.answer()), "\"hello \"");
}

TEST_F(ServerTest, a_producer_that_fails_first_answers_ordinarily_and_midway_cuts) {
  start();
  serve();
  Wire wire(server->port());
  wire.send(get("/api/fails-before"));
  EXPECT_EQ(body_of(wire.answer()), R"({"errors":{"query":"No."}})");
  wire.send(get("/api/fails-midway"));
  auto cut = wire.to_end();
  EXPECT_TRUE(wire.ended);
  EXPECT_EQ(cut.find("0\r\n\r\n"), std::string::npos) << "no end mark: the client notices";
}

std::string unpacked(const std::string& packed) {
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  std::string out(2'000'000, 0);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST_F(ServerTest, compresses_what_is_worth_it_when_asked) {
  start();
  serve();
  Wire wire(server->port());
  wire.send(get("/api/big", "Accept-Encoding: br, gzip\r\n"));
  auto packed = wire.answer();
  EXPECT_NE(packed.find("Content-Encoding: gzip"), std::string::npos);
  EXPECT_EQ(unpacked(body_of(packed)), "\"" + std::string(50'000, 'x') + "\"");
  wire.send(get("/api/big", "Accept-Encoding: gzip;q=0\r\n"));
  EXPECT_EQ(wire.answer().find("Content-Encoding"), std::string::npos);
  wire.send(get("/api/hello", "Accept-Encoding: gzip\r\n"));
  EXPECT_EQ(wire.answer().find("Content-Encoding"), std::string::npos);
  wire.send(get("/api/stream?pieces=40", "Accept-Encoding: gzip\r\n"));
  auto chunked = wire.answer();
  EXPECT_NE(chunked.find("Content-Encoding: gzip"), std::string::npos);
  std::string body = body_of(chunked), joined;
  if (chunked.find("chunked") == std::string::npos) joined = body;
  else {
    for (std::size_t at = 0; at < body.size();) {
      auto line = body.find("\r\n", at);
      auto size = std::stoul(body.substr(at, line - at), nullptr, 16);
      joined += body.substr(line + 2, size);
      at = line + 2 + size + 2;
    }
  }
  EXPECT_EQ(unpacked(joined).size(), 40u * (32 << 10));
}

TEST_F(ServerTest, draining_finishes_what_runs_and_gives_open_connections_one_last_request) {
  ServerOptions options;
  options.drain_grace = 60s;  // ends when the last connection does
  start(options);
  serve();
  Wire running(server->port()), kept(server->port());
  kept.send(get("/api/hello"));
  EXPECT_EQ(kept.answer().find("Connection: close"), std::string::npos);
  running.send(get("/api/wait"));
  ASSERT_TRUE(entered.wait());
  EXPECT_FALSE(server->draining());
  auto drained = std::async(std::launch::async, [&] { server->drain(); });
  auto limit = std::chrono::steady_clock::now() + 5s;
  while (!server->draining() && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
  kept.send(get("/api/hello"));
  auto last = kept.to_end();
  EXPECT_EQ(status_of_answer(last), 200) << "a proxy may just be using its open connection";
  EXPECT_NE(last.find("Connection: close"), std::string::npos);
  Wire late(server->port());
  late.send(get("/api/hello"));
  last = late.to_end();
  EXPECT_EQ(status_of_answer(last), 200) << "it listens to the end of its grace";
  EXPECT_NE(last.find("Connection: close"), std::string::npos);
  EXPECT_EQ(drained.wait_for(0s), std::future_status::timeout);
  release.open();
  last = running.to_end();
  EXPECT_NE(last.find("\"done\""), std::string::npos);
  EXPECT_NE(last.find("Connection: close"), std::string::npos) << "also when the request came before the end was announced";
  ASSERT_EQ(drained.wait_for(10s), std::future_status::ready) << "nobody is left, so the grace is over";
  EXPECT_FALSE(Wire(server->port()).connected);
}

TEST_F(ServerTest, after_the_grace_idle_connections_end_and_the_port_is_free_while_the_last_requests_run) {
  ServerOptions options;
  options.drain_grace = 0ms;
  start(options);
  serve();
  Wire running(server->port()), idle(server->port());
  idle.send(get("/api/hello"));
  idle.answer();
  running.send(get("/api/wait"));
  ASSERT_TRUE(entered.wait());
  auto drained = std::async(std::launch::async, [&] { server->drain(); });
  idle.to_end();
  EXPECT_TRUE(idle.ended);
  // The idle one may hear of the end a moment before the port does. A client that is asked to wait tries again after a second.
  auto limit = std::chrono::steady_clock::now() + 10s;
  while (Wire(server->port()).connected && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
  EXPECT_FALSE(Wire(server->port()).connected);
  EXPECT_EQ(drained.wait_for(0s), std::future_status::timeout);
  ServerOptions successor;
  successor.port = server->port();
  EXPECT_NO_THROW(Server::listen(successor, {application, query, hashing}, [](Request&) { return Response::text("next", 503); }));
  release.open();
  EXPECT_NE(running.to_end().find("\"done\""), std::string::npos);
  EXPECT_EQ(drained.wait_for(10s), std::future_status::ready);
}

TEST_F(ServerTest, no_request_is_lost_while_it_stops) {
  ServerOptions options;
  options.drain_grace = 1000ms;
  start(options);
  serve();
  std::atomic<bool> stop = false;
  std::atomic<int> answered = 0, lost = 0;
  auto load = [&] {
    // As a proxy: keeps its connection, opens another when told to, takes a refused one elsewhere.
    std::unique_ptr<Wire> wire;
    while (!stop) {
      if (!wire) wire = std::make_unique<Wire>(server->port());
      if (!wire->connected) return;
      wire->send(get("/api/hello"));
      auto text = wire->answer();
      ++(status_of_answer(text) == 200 ? answered : lost);
      if (text.find("Connection: close") != std::string::npos || wire->ended) wire.reset();
    }
  };
  std::vector<std::future<void>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(std::async(std::launch::async, load));
  while (answered < 200) std::this_thread::yield();
  server->drain();
  stop = true;
  for (auto& client : clients) client.get();
  EXPECT_EQ(lost, 0);
}

// A socket that listens on loopback, held by the test as a launcher holds it.
struct GivenSocket {
  GivenSocket() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(::listen(fd, 1024), 0);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
    port = ntohs(at.sin_port);
  }
  ~GivenSocket() { close(); }
  void close() {
    if (fd >= 0) ::close(std::exchange(fd, -1));
  }
  int fd;
  std::uint16_t port = 0;
};

TEST_F(ServerTest, a_successor_takes_over_a_shared_socket_without_losing_a_request) {
  GivenSocket socket;
  ServerOptions options;
  options.inherited_socket = socket.fd;
  options.drain_grace = 200ms;
  options.drain_notice = 60s;  // nobody needs notice of this end
  start(options);
  serve();
  EXPECT_EQ(server->port(), socket.port);
  std::atomic<bool> stop{false};
  std::atomic<int> lost{0}, answered{0};
  std::vector<std::future<void>> clients;
  for (int i = 0; i < 4; ++i)
    clients.push_back(std::async(std::launch::async, [&] {
      while (!stop) {
        Wire wire(socket.port);
        bool well = wire.connected && wire.send(get("/api/hello")) && status_of_answer(wire.answer()) == 200;
        ++(well ? answered : lost);
      }
    }));
  for (int swap = 0; swap < 5; ++swap) {
    options.wait_for_begin = true;
    auto next = Server::listen(options, {application, query, hashing}, [](Request&) { return Response::text("starting", 503); });
    next->serve(routes, authenticator, [](Request&) { return Response::text("page"); });
    int so_far = answered;
    while (answered < so_far + 20 && lost == 0) std::this_thread::yield();  // the old one answers; the new one has taken nobody
    EXPECT_EQ(next->counters().connections_total, 0u);
    next->begin();
    server->stop_listening(Server::Waiting::SomebodyElses);
    server->drain();
    server = std::move(next);
  }
  stop = true;
  for (auto& client : clients) client.get();
  EXPECT_EQ(lost, 0);
}

TEST_F(ServerTest, a_shared_socket_listens_on_when_its_server_has_stopped) {
  GivenSocket socket;
  ServerOptions options;
  options.inherited_socket = socket.fd;
  options.drain_grace = 0ms;
  start(options);
  serve();
  server->drain();
  Wire patient(socket.port);
  ASSERT_TRUE(patient.connected) << "it waits in the backlog";
  patient.send(get("/api/hello?name=later"));
  server.reset();
  options.wait_for_begin = true;
  server = Server::listen(options, {application, query, hashing}, [](Request&) { return Response::text("starting", 503); });
  serve();
  server->begin();
  EXPECT_EQ(body_of(patient.answer()), "\"hello later\"");
}

TEST_F(ServerTest, the_last_who_holds_a_socket_takes_those_who_wait_and_frees_the_port) {
  GivenSocket socket;
  ServerOptions options;
  options.inherited_socket = socket.fd;
  options.drain_grace = 0ms;
  start(options);
  serve();
  socket.close();
  Wire wire(socket.port);
  EXPECT_TRUE(wire.send(get("/api/hello")));
  server->drain();
  EXPECT_EQ(status_of_answer(wire.answer()), 200);
  EXPECT_FALSE(Wire(socket.port).connected);
}

TEST_F(ServerTest, the_private_socket_answers_its_paths_from_the_start_to_the_end) {
  GivenSocket shared, own;
  ServerOptions options;
  options.inherited_socket = shared.fd;
  options.private_socket = own.fd;
  options.wait_for_begin = true;
  options.connections = 0;
  options.private_paths = {"/api/hello", "/livez"};
  start(options);
  auto ask = [&](std::string_view path) {
    Wire wire(own.port);
    wire.send(get(path));
    return status_of_answer(wire.answer());
  };
  EXPECT_EQ(ask("/livez"), 503) << "the fallback's answer";
  EXPECT_EQ(ask("/api/secret"), 404);
  serve();
  EXPECT_EQ(ask("/api/hello"), 200);
  EXPECT_EQ(ask("/api/hello/"), 200);
  EXPECT_EQ(ask("/livez"), 200) << "a page";
  for (auto* other : {"/", "/api/secret", "/api/admin", "/livez/x"}) EXPECT_EQ(ask(other), 404) << other;
  server->stop_listening(Server::Waiting::SomebodyElses);
  EXPECT_EQ(ask("/api/hello"), 200);
}

TEST_F(ServerTest, a_full_pool_answers_503_and_the_connection_goes_on) {
  start();
  serve();
  std::vector<std::unique_ptr<Wire>> waiting;
  for (int i = 0; i < 120; ++i) {
    waiting.push_back(std::make_unique<Wire>(server->port()));
    waiting.back()->send(get("/api/wait"));
    // The first four are taken by the pool's threads before the others queue up.
    while (i == 3 && application.busy() < 4) std::this_thread::yield();
  }
  auto limit = std::chrono::steady_clock::now() + 5s;
  while (server->counters().failures < 16 && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
  EXPECT_EQ(server->counters().failures, 16u) << "4 run, 100 wait, the others are refused";
  release.open();
  int done = 0, refused = 0;
  for (auto& wire : waiting) (status_of_answer(wire->answer()) == 200 ? done : refused)++;
  EXPECT_EQ(done, 104);
  EXPECT_EQ(refused, 16);
}

TEST_F(ServerTest, believes_forwarding_headers_of_trusted_peers_only) {
  ServerOptions options;
  options.trusted_proxies = {"127.0.0.1", "10.0.0.0/8"};
  start(options);
  serve();
  Wire wire(server->port());
  wire.send(get("/api/who", "X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.1.2.3\r\nX-Forwarded-Proto: https\r\n"));
  EXPECT_EQ(body_of(wire.answer()), "\"203.0.113.9 https\"");
  server.reset();
  routes.~Routes();
  new (&routes) Routes();
  options.trusted_proxies = {};
  start(options);
  serve();
  Wire untrusted(server->port());
  untrusted.send(get("/api/who", "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"));
  EXPECT_EQ(body_of(untrusted.answer()), "\"127.0.0.1 http\"");
}

TEST_F(ServerTest, a_port_in_use_is_one_sentence) {
  start();
  ServerOptions options;
  options.port = server->port();
  try {
    Server::listen(options, {application, query, hashing}, [](Request&) { return Response(); });
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.sentence(), "Port " + std::to_string(options.port) + " on 127.0.0.1 is in use by another program. Stop that one, or choose another port.");
  }
}

// A certificate of its own for one test, as two PEM files.
class Certificate {
 public:
  Certificate() : folder(std::filesystem::temp_directory_path() / ("basalt-tls-" + random_hex(6))) {
    std::filesystem::create_directories(folder);
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* made = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    X509_gmtime_adj(X509_getm_notBefore(made), 0);
    X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    X509_set_pubkey(made, key);
    X509_sign(made, key, EVP_sha256());
    FILE* out = std::fopen(certificate().c_str(), "w");
    PEM_write_X509(out, made);
    std::fclose(out);
    out = std::fopen(this->key().c_str(), "w");
    PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(out);
    X509_free(made);
    EVP_PKEY_free(key);
  }
  ~Certificate() { std::filesystem::remove_all(folder); }
  std::string certificate() const { return folder / "certificate.pem"; }
  std::string key() const { return folder / "key.pem"; }

 private:
  std::filesystem::path folder;
};

// A client that speaks TLS on a blocking socket.
class TlsWire {
 public:
  explicit TlsWire(std::uint16_t port) : context_(SSL_CTX_new(TLS_client_method())) {
    bio_ = BIO_new_ssl_connect(context_);
    BIO_set_conn_hostname(bio_, ("127.0.0.1:" + std::to_string(port)).c_str());
    connected = BIO_do_connect(bio_) == 1;
  }
  ~TlsWire() {
    BIO_free_all(bio_);
    SSL_CTX_free(context_);
  }
  void send(std::string_view text) { BIO_write(bio_, text.data(), static_cast<int>(text.size())); }
  std::string read_until(const std::string& end) {
    std::string in;
    char piece[16384];
    while (!in.ends_with(end)) {
      int count = BIO_read(bio_, piece, sizeof piece);
      if (count <= 0) break;
      in.append(piece, static_cast<std::size_t>(count));
    }
    return in;
  }
  bool connected = false;

 private:
  SSL_CTX* context_;
  BIO* bio_;
};

TEST_F(ServerTest, speaks_tls) {
  Certificate certificate;
  ServerOptions options;
  options.tls_certificate_file = certificate.certificate();
  options.tls_key_file = certificate.key();
  start(options);
  serve();
  {
    TlsWire wire(server->port());
    ASSERT_TRUE(wire.connected);
    wire.send(get("/api/who"));
    auto answer = wire.read_until("\"");
    EXPECT_EQ(body_of(answer), "\"127.0.0.1 https\"");
    EXPECT_NE(answer.find("Strict-Transport-Security"), std::string::npos);
    wire.send(get("/api/stream?pieces=100"));
    EXPECT_GT(wire.read_until("0\r\n\r\n").size(), 100u * (32 << 10));
    wire.send(get("/api/stream?pieces=4000"));
    wire.read_until("yyy");
  }
  EXPECT_TRUE(gone.wait()) << "leaving cancels over TLS too";
  Wire plain(server->port());
  plain.send(get("/api/hello"));
  plain.to_end();
  EXPECT_TRUE(plain.ended) << "plain HTTP is not answered";
  options.tls_key_file = "/nonexistent/key.pem";
  EXPECT_THROW(Server::listen(options, {application, query, hashing}, [](Request&) { return Response(); }), Failure);
}

TEST(Compression, reads_accept_encoding) {
  EXPECT_TRUE(accepts_gzip("gzip"));
  EXPECT_TRUE(accepts_gzip("deflate, gzip;q=0.5"));
  EXPECT_TRUE(accepts_gzip("*"));
  EXPECT_FALSE(accepts_gzip("gzip;q=0"));
  EXPECT_FALSE(accepts_gzip("gzip;q=0.0, br"));
  EXPECT_FALSE(accepts_gzip("br"));
  EXPECT_FALSE(accepts_gzip(""));
}

}  // namespace
}  // namespace basalt::http
