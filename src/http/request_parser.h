// Bytes to a Request, with Beast's parser. Only server.cpp includes it: Beast is slow to compile.
#pragma once
#include <algorithm>
#include <string>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "http/answer.h"
#include "http/request.h"

namespace basalt::http {

// Collects one request. Beast calls it while it reads; limits are kept by the connection.
class RequestParser final : public boost::beast::http::basic_parser<true> {
 public:
  explicit RequestParser(Request& request) : request_(request) {}
  std::string target;
  bool method_known = true;
  bool http_1_0 = false;
  bool expects_continue = false;
  std::size_t body_limit_bytes = 0;
  bool too_large = false;

 private:
  using Error = boost::beast::error_code;
  void on_request_impl(boost::beast::http::verb method, boost::beast::string_view, boost::beast::string_view text, int version, Error&) override {
    using boost::beast::http::verb;
    switch (method) {
      case verb::get: request_.method = Method::Get; break;
      case verb::post: request_.method = Method::Post; break;
      case verb::put: request_.method = Method::Put; break;
      case verb::delete_: request_.method = Method::Delete; break;
      case verb::patch: request_.method = Method::Patch; break;
      case verb::options: request_.method = Method::Options; break;
      case verb::head: request_.method = Method::Head; break;
      default: method_known = false;
    }
    target.assign(text.data(), text.size());
    http_1_0 = version == 10;
  }
  void on_response_impl(int, boost::beast::string_view, int, Error&) override {}
  void on_field_impl(boost::beast::http::field, boost::beast::string_view name, boost::beast::string_view value, Error&) override {
    std::string lower(name.data(), name.size());
    for (char& c : lower) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    if (lower == "expect" && equal_ignoring_case({value.data(), value.size()}, "100-continue")) expects_continue = true;
    request_.headers.emplace_back(std::move(lower), std::string(value.data(), value.size()));
  }
  void on_header_impl(Error&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, Error&) override {
    if (length && *length <= body_limit_bytes) request_.body.reserve(std::min<std::uint64_t>(*length, 1 << 20));
  }
  std::size_t on_body_impl(boost::beast::string_view bytes, Error& error) override {
    if (request_.body.size() + bytes.size() > body_limit_bytes) {
      too_large = true;
      error = boost::beast::http::error::body_limit;
      return 0;
    }
    request_.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, boost::beast::string_view, Error&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view bytes, Error& error) override { return on_body_impl(bytes, error); }
  void on_finish_impl(Error&) override {}

  Request& request_;
};

}  // namespace basalt::http
