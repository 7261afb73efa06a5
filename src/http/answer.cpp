#include "http/answer.h"

#include <ctime>

#include "http/compression.h"

namespace basalt::http {
namespace {

constexpr std::size_t worth_compressing = 1024, short_body = 16 << 10, fast_from = 256 << 10;

const char* reason(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Payload Too Large";
    case 422: return "Unprocessable Entity";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 499: return "Client Closed Request";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "Status";
  }
}

// The current second's date, formatted once a second per thread.
const std::string& current_date() {
  thread_local std::time_t second = 0;
  thread_local std::string text;
  std::time_t now = std::time(nullptr);
  if (now != second) {
    second = now;
    text = http_date(now);
  }
  return text;
}

void add_header(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ");
  // A line break in a value would let it write headers of its own.
  for (char c : value) head += (c == '\r' || c == '\n' || c == '\0') ? ' ' : c;
  head += "\r\n";
}

constexpr std::string_view api_policy = "default-src 'none'; frame-ancestors 'none'";
constexpr std::string_view page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob: https: http:; font-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self' blob:; frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

}  // namespace

std::string http_date(std::time_t at) {
  std::tm parts{};
  gmtime_r(&at, &parts);
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char text[40];
  std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[parts.tm_wday], parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900,
                parts.tm_hour, parts.tm_min, parts.tm_sec);
  return text;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

const std::string* find_header(const std::vector<std::pair<std::string, std::string>>& headers, std::string_view name) {
  for (auto& [own, value] : headers) {
    if (equal_ignoring_case(own, name)) return &value;
  }
  return nullptr;
}

std::string answer_head(int status, const std::vector<std::pair<std::string, std::string>>& headers, const AnswerForm& form, Framing framing,
                        std::size_t length, bool compressed) {
  std::string head;
  head.reserve(900);
  head += "HTTP/1.1 ";
  head += std::to_string(status);
  head += ' ';
  head += reason(status);
  head += "\r\n";
  for (auto& [name, value] : headers) {
    if (!equal_ignoring_case(name, "content-length") && !equal_ignoring_case(name, "connection") && !equal_ignoring_case(name, "transfer-encoding")) {
      add_header(head, name, value);
    }
  }
  auto standard = [&](std::string_view name, std::string_view value) {
    if (!find_header(headers, name)) add_header(head, name, value);
  };
  auto& now = current_date();
  add_header(head, "Date", now);
  if (form.is_api) {
    standard("Cache-Control", "max-age=0, no-cache, must-revalidate, proxy-revalidate");
    standard("Expires", "Tue, 03 Jul 2001 06:00:00 GMT");
    standard("Last-Modified", now);
  }
  standard("X-Content-Type-Options", "nosniff");
  // What protects a page says nothing about the parts that it loads, and would weigh more than many of them.
  auto* caching = find_header(headers, "Cache-Control");
  if (form.is_api || !caching || !caching->ends_with("immutable")) {
    standard("Content-Security-Policy", form.is_api ? api_policy : page_policy);
    standard("X-Frame-Options", "DENY");
    standard("X-XSS-Protection", "1; mode=block");
    standard("X-Permitted-Cross-Domain-Policies", "none");
    standard("Referrer-Policy", "same-origin");
  }
  if (form.is_https) standard("Strict-Transport-Security", "max-age=31536000");
  if (!form.request_id.empty()) add_header(head, "X-Request-Id", form.request_id);
  if (compressed) {
    add_header(head, "Content-Encoding", "gzip");
    standard("Vary", "Accept-Encoding");
  }
  switch (framing) {
    case Framing::Length: add_header(head, "Content-Length", std::to_string(length)); break;
    case Framing::Chunked: add_header(head, "Transfer-Encoding", "chunked"); break;
    case Framing::UntilClose:
    case Framing::NoBody: break;
  }
  bool closes = !form.keep_alive || framing == Framing::UntilClose;
  if (closes) add_header(head, "Connection", "close");
  else if (form.http_1_0) add_header(head, "Connection", "keep-alive");
  head += "\r\n";
  return head;
}

WireAnswer wire_answer(Response& response, const AnswerForm& form) {
  bool no_body = response.status == 204 || response.status == 304;
  bool compressed = false;
  if (!no_body && form.gzip && response.body.size() > worth_compressing && !find_header(response.headers, "content-encoding")) {
    auto* type = find_header(response.headers, "content-type");
    if (type && is_compressible(*type)) {
      response.body = gzipped(response.body, response.body.size() > fast_from ? 1 : 5);
      compressed = true;
    }
  }
  WireAnswer wire;
  wire.head = answer_head(response.status, response.headers, form, no_body ? Framing::NoBody : Framing::Length, response.body.size(), compressed);
  if (no_body || form.head_only) return wire;
  if (response.body.size() <= short_body) wire.head += response.body;
  else wire.body = std::move(response.body);
  return wire;
}

}  // namespace basalt::http
