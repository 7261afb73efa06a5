#include "release/canonical.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/failure.h"

namespace basalt::release {
namespace {

constexpr int most_levels = 20;

class Reader {
 public:
  Reader(std::string_view text, std::string_view what) : text_(text), what_(what) {}

  json::value document() {
    auto out = value(0);
    if (at_ != text_.size()) refuse("something follows its end");
    return out;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Failure(FailureKind::BadRequest, std::string(what_) + " is damaged or not as it was signed: at byte " + std::to_string(at_ + 1) + " " + why + ".");
  }
  char next() const {
    if (at_ == text_.size()) refuse("it is cut off");
    return text_[at_];
  }
  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (next() != c) refuse(std::string("\"") + c + "\" is missing");
    ++at_;
  }

  json::value value(int level) {
    if (level > most_levels) refuse("it is nested too deep");
    switch (next()) {
      case '{': return object(level);
      case '[': return array(level);
      case '"': return json::value(string());
      case 't': word("true"); return true;
      case 'f': word("false"); return false;
      case 'n': word("null"); return nullptr;
      default: return number();
    }
  }

  json::value object(int level) {
    expect('{');
    json::object out;
    if (take('}')) return out;
    std::string before;
    for (;;) {
      auto begin = at_;
      auto key = string();
      if (!out.empty() && key <= before) {
        at_ = begin;
        refuse(key == before ? "a name stands twice" : "names are out of order");
      }
      expect(':');
      out.emplace(key, value(level + 1));
      if (take('}')) return out;
      expect(',');
      before = std::move(key);
    }
  }

  json::value array(int level) {
    expect('[');
    json::array out;
    if (take(']')) return out;
    for (;;) {
      out.push_back(value(level + 1));
      if (take(']')) return out;
      expect(',');
    }
  }

  void word(std::string_view w) {
    if (text_.substr(at_, w.size()) != w) refuse("a value is no JSON");
    at_ += w.size();
  }

  json::value number() {
    std::int64_t out = 0;
    auto read = std::from_chars(text_.data() + at_, text_.data() + text_.size(), out);
    if (read.ec != std::errc()) refuse("a value is no JSON, or no whole number");
    auto text = text_.substr(at_, static_cast<std::size_t>(read.ptr - (text_.data() + at_)));
    std::string shortest;
    json::write_number(shortest, out);
    if (text != shortest) refuse("a number is not in its shortest form");
    at_ += text.size();
    return out;
  }

  std::string string() {
    auto begin = at_;
    expect('"');
    std::string out;
    for (;;) {
      char c = next();
      ++at_;
      if (c == '"') break;
      if (c != '\\') {
        out += c;
        continue;
      }
      char escaped = next();
      ++at_;
      switch (escaped) {
        case 'n': out += '\n'; break;
        case 'r': out += '\r'; break;
        case 't': out += '\t'; break;
        case 'b': out += '\b'; break;
        case 'f': out += '\f'; break;
        case 'u': {
          unsigned code = 0;
          auto digits = text_.substr(at_, 4);
          auto read = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
          if (digits.size() < 4 || read.ec != std::errc() || read.ptr != digits.data() + 4 || code >= 0x20) refuse("an escape is not in its shortest form");
          out += static_cast<char>(code);
          at_ += 4;
          break;
        }
        default: out += escaped;
      }
    }
    // Any other way to write the same text is refused here, and so is what is no UTF-8.
    std::string again;
    json::write_string(again, out);
    if (text_.substr(begin, at_ - begin) != again) {
      at_ = begin;
      refuse("a text is not in its shortest form, or no UTF-8");
    }
    return out;
  }

  std::string_view text_, what_;
  std::size_t at_ = 0;
};

void write(std::string& out, const json::value& tree) {
  if (auto* o = tree.if_object()) {
    std::vector<std::string_view> keys;
    for (auto& member : *o) keys.push_back(member.key());
    std::sort(keys.begin(), keys.end());
    out += '{';
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (i) out += ',';
      json::write_string(out, keys[i]);
      out += ':';
      write(out, o->at(keys[i]));
    }
    out += '}';
  } else if (auto* a = tree.if_array()) {
    out += '[';
    for (std::size_t i = 0; i < a->size(); ++i) {
      if (i) out += ',';
      write(out, (*a)[i]);
    }
    out += ']';
  } else if (tree.is_double() || tree.is_uint64()) {
    throw Failure(FailureKind::Bug, "A fraction is no canonical JSON.");
  } else {
    json::write_to(out, tree);
  }
}

}  // namespace

json::value parse_canonical(std::string_view text, std::string_view what) { return Reader(text, what).document(); }

std::string canonical(const json::value& tree) {
  std::string out;
  write(out, tree);
  return out;
}

}  // namespace basalt::release
