#include "base/json.h"

#include <boost/json/basic_parser_impl.hpp>

#include <charconv>
#include <cmath>

#include "base/failure.h"

namespace basalt::json {
namespace {

// Builds the tree as Boost's own handler does, but reads numbers with a fraction or an exponent by std::from_chars: Boost's
// reader of 1.81 can be off in the last digit, and a document must come back as it was written.
struct TreeHandler {
  using error_code = boost::system::error_code;
  static constexpr std::size_t max_object_size = std::size_t(-1), max_array_size = std::size_t(-1), max_key_size = std::size_t(-1), max_string_size = std::size_t(-1);

  boost::json::value_stack stack;
  std::string number_begun;  // of a number that was cut by the end of a buffer

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_object_end(std::size_t n, error_code&) { stack.push_object(n); return true; }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t n, error_code&) { stack.push_array(n); return true; }
  bool on_key_part(boost::json::string_view s, std::size_t, error_code&) { stack.push_chars(s); return true; }
  bool on_key(boost::json::string_view s, std::size_t, error_code&) { stack.push_key(s); return true; }
  bool on_string_part(boost::json::string_view s, std::size_t, error_code&) { stack.push_chars(s); return true; }
  bool on_string(boost::json::string_view s, std::size_t, error_code&) { stack.push_string(s); return true; }
  bool on_number_part(boost::json::string_view s, error_code&) { number_begun.append(s.data(), s.size()); return true; }
  bool on_int64(std::int64_t v, boost::json::string_view, error_code&) { number_begun.clear(); stack.push_int64(v); return true; }
  bool on_uint64(std::uint64_t v, boost::json::string_view, error_code&) { number_begun.clear(); stack.push_uint64(v); return true; }
  bool on_double(double approximate, boost::json::string_view s, error_code&) {
    number_begun.append(s.data(), s.size());
    double exact = approximate;
    auto read = std::from_chars(number_begun.data(), number_begun.data() + number_begun.size(), exact);
    stack.push_double(read.ec == std::errc() ? exact : approximate);
    number_begun.clear();
    return true;
  }
  bool on_bool(bool v, error_code&) { stack.push_bool(v); return true; }
  bool on_null(error_code&) { stack.push_null(); return true; }
  bool on_comment_part(boost::json::string_view, error_code&) { return true; }
  bool on_comment(boost::json::string_view, error_code&) { return true; }
};

struct Parsed {
  boost::system::error_code error;
  value tree;
  std::size_t offset = 0;
};

Parsed parse_text(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = max_depth;
  Parsed result;
  boost::json::basic_parser<TreeHandler> parser(options);
  parser.handler().stack.reset();
  // Bytes up to the error are counted by the parser, for the line and column of the message.
  result.offset = parser.write_some(false, text.data(), text.size(), result.error);
  if (!result.error && result.offset < text.size()) {
    auto rest = text.substr(result.offset);
    if (rest.find_first_not_of(" \t\r\n") != std::string_view::npos) result.error = boost::json::error::extra_data;
  }
  if (!result.error && !parser.done()) result.error = boost::json::error::incomplete;
  if (!result.error) result.tree = parser.handler().stack.release();
  return result;
}

void write_indented(std::string& out, const value& v, int indent) {
  auto line = [&](int depth) { out += '\n'; out.append(static_cast<std::size_t>(depth) * 2, ' '); };
  if (auto* o = v.if_object(); o && !o->empty()) {
    out += '{';
    bool first = true;
    for (auto& [key, item] : *o) {
      if (!first) out += ',';
      first = false;
      line(indent + 1);
      write_string(out, key);
      out += ": ";
      write_indented(out, item, indent + 1);
    }
    line(indent);
    out += '}';
  } else if (auto* a = v.if_array(); a && !a->empty()) {
    out += '[';
    bool first = true;
    for (auto& item : *a) {
      if (!first) out += ',';
      first = false;
      line(indent + 1);
      write_indented(out, item, indent + 1);
    }
    line(indent);
    out += ']';
  } else {
    write_to(out, v);
  }
}

// Length of the valid UTF-8 sequence at the start of `s`, 0 when there is none (Unicode 15, table 3-7).
std::size_t sequence_length(std::string_view s) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  auto continues = [&](std::size_t i, unsigned low, unsigned high) { return i < s.size() && byte(i) >= low && byte(i) <= high; };
  unsigned c = byte(0);
  if (c < 0x80) return 1;
  if (c >= 0xC2 && c <= 0xDF) return continues(1, 0x80, 0xBF) ? 2 : 0;
  if (c >= 0xE0 && c <= 0xEF) {
    unsigned low = c == 0xE0 ? 0xA0 : 0x80, high = c == 0xED ? 0x9F : 0xBF;
    return continues(1, low, high) && continues(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (c >= 0xF0 && c <= 0xF4) {
    unsigned low = c == 0xF0 ? 0x90 : 0x80, high = c == 0xF4 ? 0x8F : 0xBF;
    return continues(1, low, high) && continues(2, 0x80, 0xBF) && continues(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

}  // namespace

value parse(std::string_view text) {
  auto result = parse_text(text);
  if (!result.error) return std::move(result.tree);
  std::size_t line = 1, column = 1;
  for (std::size_t i = 0; i < std::min(result.offset, text.size()); ++i) {
    if (text[i] == '\n') { ++line; column = 1; } else { ++column; }
  }
  if (result.error == boost::json::error::too_deep)
    throw Failure(FailureKind::BadRequest, "The JSON is nested more than " + std::to_string(max_depth) + " levels deep; flatten it.");
  throw Failure(FailureKind::BadRequest, "This is not JSON: " + result.error.message() + " at line " + std::to_string(line) +
                                             ", column " + std::to_string(column) + ".");
}

std::optional<value> try_parse(std::string_view text) {
  auto result = parse_text(text);
  if (result.error) return std::nullopt;
  return std::move(result.tree);
}

void write_string(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  out += '"';
  std::size_t start = 0, i = 0;
  auto flush = [&](std::size_t end) { out.append(text.substr(start, end - start)); };
  while (i < text.size()) {
    unsigned char c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') { ++i; continue; }
    if (c >= 0x80) {
      if (auto length = sequence_length(text.substr(i))) { i += length; continue; }
      flush(i);
      out += "\xEF\xBF\xBD";
    } else {
      flush(i);
      switch (c) {
        case '"': out += "\\\""; break;
        case '\\': out += "\\\\"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        case '\b': out += "\\b"; break;
        case '\f': out += "\\f"; break;
        default: out += "\\u00"; out += hex[c >> 4]; out += hex[c & 15];
      }
    }
    start = ++i;
  }
  flush(text.size());
  out += '"';
}

void write_number(std::string& out, std::int64_t number) {
  char buffer[24];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  out.append(buffer, end);
}

void write_number(std::string& out, double number) {
  if (!std::isfinite(number)) { out += "null"; return; }
  char buffer[32];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  std::string_view written(buffer, static_cast<std::size_t>(end - buffer));
  out.append(written);
  // A double stays recognisable as one when read back.
  if (written.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void write_to(std::string& out, const value& v) {
  switch (v.kind()) {
    case kind::null: out += "null"; break;
    case kind::bool_: out += v.get_bool() ? "true" : "false"; break;
    case kind::int64: write_number(out, v.get_int64()); break;
    case kind::uint64: out += std::to_string(v.get_uint64()); break;
    case kind::double_: write_number(out, v.get_double()); break;
    case kind::string: write_string(out, v.get_string()); break;
    case kind::array: {
      out += '[';
      bool first = true;
      for (auto& item : v.get_array()) {
        if (!first) out += ',';
        first = false;
        write_to(out, item);
      }
      out += ']';
      break;
    }
    case kind::object: {
      out += '{';
      bool first = true;
      for (auto& [key, item] : v.get_object()) {
        if (!first) out += ',';
        first = false;
        write_string(out, key);
        out += ':';
        write_to(out, item);
      }
      out += '}';
      break;
    }
  }
}

std::string write(const value& v) {
  std::string out;
  write_to(out, v);
  return out;
}

std::string write_pretty(const value& v) {
  std::string out;
  write_indented(out, v, 0);
  return out;
}

const value* find(const object& o, std::string_view key) {
  auto* found = o.if_contains(key);
  return found && !found->is_null() ? found : nullptr;
}

const value* find(const value& v, std::string_view key) {
  auto* o = v.if_object();
  return o ? find(*o, key) : nullptr;
}

std::optional<std::int64_t> as_integer(const value& v) {
  if (auto* i = v.if_int64()) return *i;
  // A std::size_t put into a tree stays unsigned there.
  if (auto* u = v.if_uint64()) return *u <= static_cast<std::uint64_t>(INT64_MAX) ? std::optional(static_cast<std::int64_t>(*u)) : std::nullopt;
  if (auto* d = v.if_double()) {
    if (std::floor(*d) == *d && std::abs(*d) < 9.2e18) return static_cast<std::int64_t>(*d);
  }
  return std::nullopt;
}

std::optional<std::string> text(const value& v, std::string_view key) {
  auto* found = find(v, key);
  if (!found || !found->is_string()) return std::nullopt;
  return std::string(found->get_string());
}

std::optional<std::int64_t> integer(const value& v, std::string_view key) {
  auto* found = find(v, key);
  return found ? as_integer(*found) : std::nullopt;
}

std::optional<double> number(const value& v, std::string_view key) {
  auto* found = find(v, key);
  if (!found || !found->is_number()) return std::nullopt;
  return found->to_number<double>();
}

std::optional<bool> boolean(const value& v, std::string_view key) {
  auto* found = find(v, key);
  if (!found || !found->is_bool()) return std::nullopt;
  return found->get_bool();
}

const object* sub_object(const object& o, std::string_view key) {
  auto* found = find(o, key);
  return found ? found->if_object() : nullptr;
}

const array* sub_array(const object& o, std::string_view key) {
  auto* found = find(o, key);
  return found ? found->if_array() : nullptr;
}

const object* sub_object(const value& v, std::string_view key) {
  auto* found = find(v, key);
  return found ? found->if_object() : nullptr;
}

const array* sub_array(const value& v, std::string_view key) {
  auto* found = find(v, key);
  return found ? found->if_array() : nullptr;
}

}  // namespace basalt::json
