// health: asks the server of this configuration, on this host, how it is. For container engines, supervisors and packages, that
// have no other program at hand to ask with.
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <iostream>
#include <memory>
#include <thread>

#include "base/json.h"
#include "commands/commands.h"

namespace basalt::commands {
namespace {

struct Closing {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

struct Heard {
  int status = 0;  // 0: nobody answered
  std::string body;
};

constexpr std::size_t most_bytes = 64 << 10;

// Blocking, at most five seconds for each step. The certificate is not looked at: it is made for the name that people use, not for
// the loopback address, and nothing that is asked or answered here is a secret.
Heard ask(const std::string& host, std::int64_t port, bool encrypted, const std::string& path) {
  std::unique_ptr<SSL_CTX, Closing> context;
  std::unique_ptr<BIO, Closing> connection(BIO_new(BIO_s_connect()));
  BIO_set_conn_hostname(connection.get(), host.c_str());
  BIO_set_conn_port(connection.get(), std::to_string(port).c_str());
  if (BIO_do_connect(connection.get()) != 1) return {};
  timeval patience{.tv_sec = 5, .tv_usec = 0};
  int socket = static_cast<int>(BIO_get_fd(connection.get(), nullptr));
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (encrypted) {
    context.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
    BIO* encryption = BIO_new_ssl(context.get(), 1);
    BIO_push(encryption, connection.release());
    connection.reset(encryption);
    if (BIO_do_handshake(connection.get()) != 1) return {};
  }
  auto request = "GET " + path + " HTTP/1.0\r\nHost: " + host + "\r\nUser-Agent: basalt-health\r\nConnection: close\r\n\r\n";
  if (BIO_write(connection.get(), request.data(), static_cast<int>(request.size())) != static_cast<int>(request.size())) return {};
  std::string text;
  char buffer[4096];
  for (int count; text.size() < most_bytes && (count = BIO_read(connection.get(), buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(count));
  Heard heard;
  if (text.rfind("HTTP/1.", 0) != 0 || text.size() < 12) return heard;
  heard.status = std::atoi(text.c_str() + 9);
  if (auto at = text.find("\r\n\r\n"); at != std::string::npos) heard.body = text.substr(at + 4);
  return heard;
}

// "initializing, step 7 of 12, 43 %" of what /api/health says; the text itself when it is no JSON.
std::string in_words(const Heard& heard) {
  if (heard.status == 0) return "nobody answers";
  std::string words = heard.status == 200 ? "healthy" : "answered " + std::to_string(heard.status);
  auto value = json::try_parse(heard.body);
  if (!value || !value->is_object()) return words;  // a page for people, or another server
  auto& object = value->as_object();
  if (auto* status = object.if_contains("status"); status && status->is_string() && heard.status != 200) words = std::string(status->as_string());
  if (auto* step = object.if_contains("step"); step && step->is_string()) words += ", step " + std::string(step->as_string());
  if (auto* progress = object.if_contains("progress"); progress && progress->is_number() && heard.status != 200) words += ", " + std::to_string(static_cast<int>(progress->to_number<double>() * 100)) + " %";
  return words;
}

}  // namespace

int health(const Config& config, const Migrations&, const Options& options) {
  log::set_up(log::Level::Error, log::Format::Text);
  auto host = config.text("address");
  if (host.empty() || host == "0.0.0.0" || host == "*") host = "127.0.0.1";
  if (host == "::" || host == "[::]") host = "::1";
  auto port = config.integer("port");
  bool encrypted = !config.text("tls-certificate").empty();
  auto path = options.live ? "/livez" : "/api/health";
  using Clock = std::chrono::steady_clock;
  const auto patience = std::chrono::seconds(options.wait_seconds);
  auto until = Clock::now() + patience;
  std::string before;
  for (;;) {
    auto heard = ask(host, port, encrypted, path);
    auto words = in_words(heard);
    auto line = host + ":" + std::to_string(port) + ": " + words;
    if (heard.status == 200) { std::cout << line << "\n"; return done; }
    // Slow is not dead: whoever still gets on gets its time anew.
    if (heard.status != 0 && heard.body != before) until = Clock::now() + patience;
    before = heard.body;
    if (Clock::now() >= until) { std::cerr << line << "\n"; return failed; }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

}  // namespace basalt::commands
