#include "client/exchange.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "base/crypto.h"
#include "base/failure.h"

namespace basalt::client {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using Tcp = asio::ip::tcp;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds look_up{100};  // how often somebody who wants to stop is heard

class Exchange {
 public:
  Exchange(const boost::urls::url& url, const Limits& limits, Deadline until) : url_(url), limits_(limits), until_(until), host_(url.host_address()), shown_(shown(url)), socket_(context_) {}

  void run(const Request& request, const Sink& sink) {
    connect();
    if (url_.scheme() != "https") return ask(socket_, request, sink);
    asio::ssl::context tls(asio::ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
    tls.set_default_verify_paths();
    if (!limits_.ca_file.empty()) {
      beast::error_code error;
      tls.load_verify_file(limits_.ca_file, error);
      if (error) throw Failure(FailureKind::Unavailable, "The file " + limits_.ca_file + " holds no certificates in PEM form that can be read.");
    }
    tls.set_verify_mode(asio::ssl::verify_peer);
    asio::ssl::stream<Tcp::socket&> stream(socket_, tls);
    stream.set_verify_callback(asio::ssl::host_name_verification(host_));
    beast::error_code no_address;
    asio::ip::make_address(host_, no_address);
    if (no_address) SSL_set_tlsext_host_name(stream.native_handle(), host_.c_str());  // an address is no server name
    std::optional<beast::error_code> shaken;
    stream.async_handshake(asio::ssl::stream_base::client, [&](beast::error_code error) { shaken = error; });
    wait([&] { return shaken.has_value(); });
    if (*shaken) not_trusted(stream.native_handle());
    ask(stream, request, sink);
  }

 private:
  // Runs what is under way until `done`; what is not done when the time is over or somebody wants to stop is a Failure.
  template <class Done>
  void wait(Done&& done) {
    while (!done()) {
      if (limits_.stop.stop_requested()) give_up(FailureKind::Cancelled, "The exchange with " + shown_ + " was stopped.");
      auto now = Clock::now();
      if (now >= until_) give_up(FailureKind::Timeout, shown_ + " did not answer in time.");
      context_.restart();
      context_.run_one_until(std::min(until_, now + look_up));
    }
  }

  // What waits on this frame's variables must be gone before the frame is.
  [[noreturn]] void give_up(FailureKind kind, std::string sentence) {
    beast::error_code ignored;
    socket_.close(ignored);
    if (resolver_) resolver_->cancel();
    context_.restart();
    if (!resolver_) context_.run();
    throw Failure(kind, std::move(sentence));
  }

  [[noreturn]] void broken() const { throw Failure(FailureKind::Unavailable, "The connection to " + shown_ + " broke before all was there."); }

  [[noreturn]] void not_trusted(SSL* ssl) const {
    auto result = SSL_get_verify_result(ssl);
    if (result == X509_V_OK) throw Failure(FailureKind::Unavailable, shown_ + " speaks no HTTPS that this program speaks, or its certificate is for another name.");
    throw Failure(FailureKind::Unavailable, "The certificate of " + shown_ + " is not trusted: " + X509_verify_cert_error_string(result) + ".");
  }

  void connect() {
    auto port = url_.has_port() && !url_.port().empty() ? std::string(url_.port()) : std::string(url_.scheme() == "https" ? "443" : "80");
    // Shared with the handler: a look-up of a name cannot be stopped, so its answer may come after we have gone.
    struct Found { std::optional<beast::error_code> error; Tcp::resolver::results_type places; };
    auto found = std::make_shared<Found>();
    resolver_.emplace(context_);
    resolver_->async_resolve(host_, port, [found](beast::error_code error, Tcp::resolver::results_type places) {
      found->error = error;
      found->places = std::move(places);
    });
    wait([&] { return found->error.has_value(); });
    resolver_.reset();
    if (*found->error) throw Failure(FailureKind::Unavailable, "The name " + host_ + " is not known.");
    std::optional<beast::error_code> connected;
    asio::async_connect(socket_, found->places, [&](beast::error_code error, const Tcp::endpoint&) { connected = error; });
    wait([&] { return connected.has_value(); });
    if (*connected) throw Failure(FailureKind::Unavailable, shown_ + " cannot be reached: " + connected->message() + ".");
  }

  bhttp::request<bhttp::string_body> message(const Request& request) const {
    auto target = std::string(url_.encoded_resource());
    if (target.empty() || target.front() != '/') target.insert(0, "/");
    auto verb = bhttp::string_to_verb(request.method);
    if (verb == bhttp::verb::unknown) throw Failure(FailureKind::Bug, "There is no HTTP method " + request.method + ".");
    bhttp::request<bhttp::string_body> out{verb, target, 11};
    out.set(bhttp::field::host, std::string(url_.encoded_host_and_port()));
    out.set(bhttp::field::user_agent, "basalt");
    out.set(bhttp::field::connection, "close");
    if (url_.has_userinfo()) out.set(bhttp::field::authorization, "Basic " + base64(url_.user() + ":" + url_.password()));
    if (!request.body.empty()) out.set(bhttp::field::content_type, "application/json");
    for (auto& [name, value] : request.headers) {
      if (value.find_first_of("\r\n") != std::string::npos || name.find_first_of("\r\n:") != std::string::npos) throw Failure(FailureKind::BadRequest, "The header " + name.substr(0, name.find_first_of("\r\n:")) + " holds a line break.");
      out.set(name, value);
    }
    out.body() = request.body;
    if (!request.body.empty() || verb == bhttp::verb::post || verb == bhttp::verb::put) out.prepare_payload();
    return out;
  }

  template <class Stream>
  void ask(Stream& stream, const Request& request, const Sink& sink) {
    auto asked = message(request);
    std::optional<beast::error_code> written;
    bhttp::async_write(stream, asked, [&](beast::error_code error, std::size_t) { written = error; });
    wait([&] { return written.has_value(); });
    // A server may answer and close before it has read all: what it said counts.
    beast::flat_buffer buffer;
    bhttp::response_parser<bhttp::buffer_body> parser;
    parser.body_limit(boost::none);  // counted below, for the sentence
    parser.header_limit(32 << 10);
    std::optional<beast::error_code> read;
    bhttp::async_read_header(stream, buffer, parser, [&](beast::error_code error, std::size_t) { read = error; });
    wait([&] { return read.has_value(); });
    if (*read) broken();
    Answer answer;
    answer.status = parser.get().result_int();
    for (auto& field : parser.get()) {
      std::string name(field.name_string());
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      answer.headers[name] = std::string(field.value());
    }
    auto length = parser.content_length() ? static_cast<std::int64_t>(std::min<std::uint64_t>(*parser.content_length(), INT64_MAX)) : -1;
    if (!sink.begun(answer, length)) return;
    if (length > limits_.most_bytes) too_long();
    std::int64_t seen = 0;
    std::array<char, 64 << 10> piece;
    while (!parser.is_done()) {
      parser.get().body().data = piece.data();
      parser.get().body().size = piece.size();
      read.reset();
      bhttp::async_read_some(stream, buffer, parser, [&](beast::error_code error, std::size_t) { read = error; });
      wait([&] { return read.has_value(); });
      if (*read == bhttp::error::need_buffer) read = beast::error_code();
      if (*read) broken();
      auto got = piece.size() - parser.get().body().size;
      seen += static_cast<std::int64_t>(got);
      if (seen > limits_.most_bytes) too_long();
      if (got) sink.piece(std::string_view(piece.data(), got));
    }
  }

  [[noreturn]] void too_long() const {
    auto kilobytes = limits_.most_bytes >> 10;
    throw Failure(FailureKind::TooLarge, "The answer of " + shown_ + " is longer than " + (kilobytes > 0 ? std::to_string(kilobytes) + " KB" : std::to_string(limits_.most_bytes) + " bytes") + ".");
  }

  const boost::urls::url& url_;
  const Limits& limits_;
  Deadline until_;
  std::string host_, shown_;
  asio::io_context context_{1};
  Tcp::socket socket_;
  std::optional<Tcp::resolver> resolver_;
};

}  // namespace

std::string shown(const boost::urls::url& url) { return std::string(url.encoded_host_and_port()); }

void exchange(const boost::urls::url& url, const Request& request, const Limits& limits, Deadline until, const Sink& sink) {
  Exchange(url, limits, until).run(request, sink);
}

}  // namespace basalt::client
