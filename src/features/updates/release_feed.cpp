#include "features/updates/release_feed.h"

#include <openssl/ssl.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/url.hpp>
#include <charconv>
#include <fstream>

#include "base/failure.h"
#include "base/log.h"
#include "base/time.h"

namespace basalt::features {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using Clock = std::chrono::steady_clock;

constexpr std::size_t most_notes = 20'000, most_releases = 1000;

[[noreturn]] void failed(std::string sentence) { throw Failure(FailureKind::Unavailable, std::move(sentence)); }

struct Version {
  std::array<std::int64_t, 3> parts{};
  std::string before;  // "rc1" of "1.2.0-rc1"
};

std::optional<Version> version_of(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  Version out;
  if (auto build = text.find('+'); build != std::string_view::npos) text = text.substr(0, build);
  if (auto dash = text.find('-'); dash != std::string_view::npos) {
    out.before = std::string(text.substr(dash + 1));
    text = text.substr(0, dash);
  }
  std::size_t index = 0;
  auto *at = text.data(), *end = text.data() + text.size();
  if (at == end) return std::nullopt;
  for (;;) {
    if (index == 3) return std::nullopt;
    auto read = std::from_chars(at, end, out.parts[index++]);
    if (read.ec != std::errc()) return std::nullopt;
    at = read.ptr;
    if (at == end) return out;
    if (*at++ != '.') return std::nullopt;
  }
}

struct Answer { unsigned status = 0; std::string body, location; };

// Runs `context` until `done` says so or the time is over.
template <class Done>
void run_until(asio::io_context& context, Clock::time_point until, Done&& done) {
  while (!done()) {
    context.restart();
    if (context.run_one_until(until) == 0) {
      if (done()) return;
      if (Clock::now() >= until) failed("the server did not answer in time");
      return;
    }
  }
}

template <class Stream>
Answer ask(asio::io_context& context, Stream& stream, const boost::urls::url& url, Clock::time_point until, std::size_t most) {
  auto target = std::string(url.encoded_resource());
  if (target.empty() || target.front() != '/') target.insert(0, "/");
  bhttp::request<bhttp::empty_body> request{bhttp::verb::get, target, 11};
  request.set(bhttp::field::host, std::string(url.encoded_host_and_port()));
  request.set(bhttp::field::user_agent, "basalt");
  request.set(bhttp::field::accept, "application/json");
  request.set(bhttp::field::connection, "close");
  std::optional<beast::error_code> written, read;
  bhttp::async_write(stream, request, [&](beast::error_code error, std::size_t) { written = error; });
  run_until(context, until, [&] { return written.has_value(); });
  if (!written || *written) failed("the connection broke");
  beast::flat_buffer buffer;
  bhttp::response_parser<bhttp::string_body> parser;
  parser.body_limit(most);
  parser.header_limit(16 << 10);
  bhttp::async_read(stream, buffer, parser, [&](beast::error_code error, std::size_t) { read = error; });
  run_until(context, until, [&] { return read.has_value(); });
  if (read && *read == bhttp::error::body_limit) failed("the answer is longer than " + std::to_string(most >> 10) + " KB");
  if (!read || (*read && *read != bhttp::error::end_of_stream)) failed("the connection broke");
  Answer out;
  out.status = parser.get().result_int();
  out.location = std::string(parser.get()[bhttp::field::location]);
  out.body = std::move(parser.get().body());
  return out;
}

Answer get(const boost::urls::url& url, Clock::time_point until, std::size_t most) {
  bool secure = url.scheme() == "https";
  asio::io_context context(1);
  asio::ip::tcp::resolver resolver(context);
  std::optional<beast::error_code> resolved, connected, shaken;
  asio::ip::tcp::resolver::results_type places;
  auto host = std::string(url.host_address());
  auto port = url.has_port() && !url.port().empty() ? std::string(url.port()) : std::string(secure ? "443" : "80");
  resolver.async_resolve(host, port, [&](beast::error_code error, asio::ip::tcp::resolver::results_type found) {
    resolved = error;
    places = std::move(found);
  });
  run_until(context, until, [&] { return resolved.has_value(); });
  if (!resolved || *resolved) failed("the name " + host + " is not known");
  asio::ip::tcp::socket socket(context);
  asio::async_connect(socket, places, [&](beast::error_code error, const asio::ip::tcp::endpoint&) { connected = error; });
  run_until(context, until, [&] { return connected.has_value(); });
  if (!connected || *connected) failed(host + " cannot be reached");
  if (!secure) return ask(context, socket, url, until, most);
  asio::ssl::context tls(asio::ssl::context::tls_client);
  tls.set_default_verify_paths();
  tls.set_verify_mode(asio::ssl::verify_peer);
  asio::ssl::stream<asio::ip::tcp::socket> stream(std::move(socket), tls);
  stream.set_verify_callback(asio::ssl::host_name_verification(host));
  SSL_set_tlsext_host_name(stream.native_handle(), host.c_str());
  stream.async_handshake(asio::ssl::stream_base::client, [&](beast::error_code error) { shaken = error; });
  run_until(context, until, [&] { return shaken.has_value(); });
  if (!shaken || *shaken) failed("the certificate of " + host + " is not trusted, or it speaks no HTTPS");
  return ask(context, stream, url, until, most);
}

std::string fetch(const std::string& address, std::chrono::milliseconds patience, std::size_t most) {
  auto until = Clock::now() + patience;
  auto parsed = boost::urls::parse_uri(address);
  if (!parsed) failed("the address is malformed");
  boost::urls::url url(*parsed);
  for (int hops = 0; hops < 4; ++hops) {
    auto answer = get(url, until, most);
    if (answer.status == 200) return std::move(answer.body);
    bool moved = answer.status == 301 || answer.status == 302 || answer.status == 303 || answer.status == 307 || answer.status == 308;
    if (!moved || answer.location.empty()) failed(std::string(url.encoded_host()) + " answered " + std::to_string(answer.status));
    auto next = boost::urls::parse_uri_reference(answer.location);
    boost::urls::url to;
    if (!next || !boost::urls::resolve(url, *next, to)) failed("the redirection is malformed");
    // Whoever asked for an encrypted answer gets no other.
    if (to.scheme() != "https" && (url.scheme() == "https" || to.scheme() != "http")) failed("the redirection leads to a place that is not encrypted");
    url = to;
  }
  failed("there are too many redirections");
}

bool is_network(const std::string& source) { return source.starts_with("http://") || source.starts_with("https://"); }

std::string short_text(const json::value& v, const char* key, std::size_t most) {
  auto text = json::text(v, key).value_or("");
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most);
}

}  // namespace

std::optional<int> compare_versions(std::string_view a, std::string_view b) {
  auto x = version_of(a), y = version_of(b);
  if (!x || !y) return std::nullopt;
  if (x->parts != y->parts) return x->parts < y->parts ? -1 : 1;
  if (x->before == y->before) return 0;
  if (x->before.empty()) return 1;
  if (y->before.empty()) return -1;
  return x->before < y->before ? -1 : 1;
}

ReleaseFeed::ReleaseFeed(Options options) : options_(std::move(options)), state_(is_off() ? "off" : "not asked yet") {}

bool ReleaseFeed::is_off() const { return options_.source.empty() || (options_.air_gapped && is_network(options_.source)); }

json::value ReleaseFeed::latest() const {
  std::lock_guard lock(mutex_);
  return json::object{{"current", options_.current}, {"available", available_}, {"withdrawn", withdrawn_}, {"feed", state_}, {"checked_at", checked_at_.empty() ? json::value(nullptr) : json::value(checked_at_)}};
}

std::string ReleaseFeed::fetched() const {
  if (is_network(options_.source)) return fetch(options_.source, options_.patience, options_.most_bytes);
  auto path = options_.source.starts_with("file://") ? options_.source.substr(7) : options_.source;
  std::ifstream in(path, std::ios::binary);
  if (!in) failed("the file " + path + " cannot be read");
  std::string text(options_.most_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) failed("the file " + path + " cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > options_.most_bytes) failed("the file " + path + " is longer than " + std::to_string(options_.most_bytes >> 10) + " KB");
  return text;
}

void ReleaseFeed::refresh() {
  if (is_off()) return;
  std::lock_guard one(asking_);
  auto now = to_text(system_clock().now());
  std::string why;
  try {
    auto document = json::try_parse(fetched());
    auto* releases = document ? json::sub_array(*document, "releases") : nullptr;
    if (!releases) failed("it is no list of releases");
    json::value best = nullptr;
    bool withdrawn = false;
    std::string newest = options_.current;
    std::size_t seen = 0;
    for (auto& one : *releases) {
      if (++seen > most_releases) break;
      auto version = json::text(one, "version").value_or("");
      bool gone = json::boolean(one, "withdrawn").value_or(false);
      if (gone && compare_versions(version, options_.current) == 0) withdrawn = true;
      if (gone || compare_versions(version, newest) != 1) continue;
      newest = version;
      best = json::object{{"version", version.substr(0, 60)}, {"released_at", short_text(one, "released_at", 40)}, {"class", short_text(one, "class", 20)},
                          {"schema", json::integer(one, "schema") ? json::value(*json::integer(one, "schema")) : json::value(nullptr)}, {"notes", short_text(one, "notes", most_notes)}};
    }
    std::lock_guard lock(mutex_);
    available_ = std::move(best);
    withdrawn_ = withdrawn;
    state_ = "ok";
    checked_at_ = now;
    return;
  } catch (const Failure& failure) {
    why = failure.sentence();
  } catch (const std::exception&) {
    why = "something went wrong on our side";
  }
  log::warning("the release feed could not be read", {{"reason", why}});
  std::lock_guard lock(mutex_);
  state_ = "failed: " + why;
  checked_at_ = now;
}

}  // namespace basalt::features
