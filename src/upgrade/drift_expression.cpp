#include "upgrade/drift_expression.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <memory>
#include <optional>
#include <set>

namespace basalt::upgrade {
namespace {

struct Token {
  enum Kind { Word, Name, Text, Number, Sign, End } kind = End;
  std::string text;            // Word: in lower case; Name: unquoted; Text: unquoted
  std::size_t begin = 0, end = 0;
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::vector<Token> tokens_of(std::string_view sql) {
  std::vector<Token> out;
  auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || (static_cast<unsigned char>(c) & 0x80); };
  for (std::size_t i = 0; i < sql.size();) {
    char c = sql[i];
    if (std::isspace(static_cast<unsigned char>(c))) { ++i; continue; }
    if (c == '-' && i + 1 < sql.size() && sql[i + 1] == '-') {
      i = std::min(sql.find('\n', i), sql.size());
      continue;
    }
    if (c == '/' && i + 1 < sql.size() && sql[i + 1] == '*') {
      auto end = sql.find("*/", i + 2);
      i = end == std::string_view::npos ? sql.size() : end + 2;
      continue;
    }
    Token token;
    token.begin = i;
    if (c == '\'' || c == '"' || c == '`' || c == '[') {
      char close = c == '[' ? ']' : c;
      // After ARRAY a bracket opens a list, and an empty pair belongs to a type; else it quotes a name, as SQLite allows.
      bool list = c == '[' && ((!out.empty() && out.back().kind == Token::Word && out.back().text == "array") || (i + 1 < sql.size() && sql[i + 1] == ']'));
      if (!list) {
        std::size_t j = i + 1;
        for (; j < sql.size(); ++j) {
          if (sql[j] != close) { token.text += sql[j]; continue; }
          if (close != ']' && j + 1 < sql.size() && sql[j + 1] == close) { token.text += close; ++j; continue; }
          break;
        }
        token.kind = c == '\'' ? Token::Text : Token::Name;
        i = std::min(j + 1, sql.size());
        token.end = i;
        out.push_back(std::move(token));
        continue;
      }
    }
    if (std::isdigit(static_cast<unsigned char>(c)) || (c == '.' && i + 1 < sql.size() && std::isdigit(static_cast<unsigned char>(sql[i + 1])))) {
      std::size_t j = i;
      while (j < sql.size() && (std::isalnum(static_cast<unsigned char>(sql[j])) || sql[j] == '.' || ((sql[j] == '-' || sql[j] == '+') && (sql[j - 1] == 'e' || sql[j - 1] == 'E')))) ++j;
      token.kind = Token::Number;
      token.text = std::string(sql.substr(i, j - i));
      i = j;
    } else if (is_word(c)) {
      std::size_t j = i;
      while (j < sql.size() && is_word(sql[j])) ++j;
      token.kind = Token::Word;
      token.text = lower(sql.substr(i, j - i));
      i = j;
    } else {
      token.kind = Token::Sign;
      for (std::string_view pair : {"::", "<=", ">=", "<>", "!=", "==", "||"})
        if (sql.substr(i).starts_with(pair)) token.text = pair;
      if (token.text.empty()) token.text = std::string(1, c);
      i += token.text.size();
    }
    token.end = i;
    out.push_back(std::move(token));
  }
  out.push_back({Token::End, "", sql.size(), sql.size()});
  return out;
}

// An expression; `parts` are its operands.
struct Node {
  enum Kind { Name, Text, Number, Word, Call, List, Compare, In, And, Or, Not, Other } kind = Other;
  std::string text;
  std::vector<Node> parts;
};

std::string number_text(std::string_view text) {
  std::int64_t n = 0;
  auto read = std::from_chars(text.data(), text.data() + text.size(), n);
  if (read.ec == std::errc() && read.ptr == text.data() + text.size()) return std::to_string(n);
  double d = 0;
  auto real = std::from_chars(text.data(), text.data() + text.size(), d);
  if (real.ec != std::errc() || real.ptr != text.data() + text.size()) return std::string(text);
  if (d == static_cast<double>(static_cast<std::int64_t>(d)) && d < 1e15 && d > -1e15) return std::to_string(static_cast<std::int64_t>(d));
  char buffer[40];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, d).ptr);
}

bool is_number(std::string_view text) {
  double d = 0;
  auto read = std::from_chars(text.data(), text.data() + text.size(), d);
  return !text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size();
}

struct Unreadable {};

class Reader {
 public:
  explicit Reader(const std::vector<Token>& tokens) : tokens_(tokens) {}
  Node whole() {
    auto out = either();
    if (now().kind != Token::End) throw Unreadable{};
    return out;
  }

 private:
  const Token& now() const { return tokens_[at_]; }
  bool is(std::string_view text) const { return (now().kind == Token::Word || now().kind == Token::Sign) && now().text == text; }
  bool take(std::string_view text) {
    if (!is(text)) return false;
    ++at_;
    return true;
  }
  void need(std::string_view text) { if (!take(text)) throw Unreadable{}; }

  Node either() {
    Node out = both();
    while (take("or")) {
      if (out.kind != Node::Or) out = Node{Node::Or, "", {std::move(out)}};
      out.parts.push_back(both());
    }
    return out;
  }
  Node both() {
    Node out = negated();
    while (take("and")) {
      if (out.kind != Node::And) out = Node{Node::And, "", {std::move(out)}};
      out.parts.push_back(negated());
    }
    return out;
  }
  Node negated() {
    if (take("not")) return Node{Node::Not, "", {negated()}};
    return compared();
  }
  Node compared() {
    Node left = sum();
    for (;;) {
      if (take("is")) {
        bool is_not = take("not");
        Node right = sum();
        left = Node{Node::Compare, is_not ? "is not" : "is", {std::move(left), std::move(right)}};
        continue;
      }
      if (is("not") && tokens_[at_ + 1].text == "in") {
        ++at_;
        left = Node{Node::Not, "", {compared_in(std::move(left))}};
        continue;
      }
      if (is("in")) { left = compared_in(std::move(left)); continue; }
      if (take("between")) {
        Node low = sum();
        need("and");
        Node high = sum();
        left = Node{Node::And, "", {Node{Node::Compare, ">=", {left, std::move(low)}}, Node{Node::Compare, "<=", {left, std::move(high)}}}};
        continue;
      }
      std::string sign;
      for (const char* one : {"=", "==", "<>", "!=", "<=", ">=", "<", ">"}) if (now().kind == Token::Sign && now().text == one) sign = one;
      if (sign.empty()) return left;
      ++at_;
      if (sign == "==") sign = "=";
      if (sign == "!=") sign = "<>";
      if (sign == "=" && is("any")) {
        ++at_;
        need("(");
        Node list = sum();
        need(")");
        // ARRAY[…] or the text '{a,b}' cast to an array.
        if (list.kind == Node::Text && list.text.size() >= 2 && list.text.front() == '{') {
          Node made{Node::List, "", {}};
          std::string item;
          for (char c : list.text.substr(1, list.text.size() - 2) + ",") {
            if (c == ',') { made.parts.push_back({Node::Text, item, {}}); item.clear(); }
            else if (c != '"') item += c;
          }
          list = std::move(made);
        }
        if (list.kind != Node::List) throw Unreadable{};
        list.kind = Node::In;
        list.parts.insert(list.parts.begin(), std::move(left));
        left = std::move(list);
        continue;
      }
      left = Node{Node::Compare, sign, {std::move(left), sum()}};
    }
  }
  Node compared_in(Node left) {
    need("in");
    need("(");
    Node out{Node::In, "", {std::move(left)}};
    do out.parts.push_back(either());
    while (take(","));
    need(")");
    return out;
  }
  Node sum() {
    Node left = cast();
    for (;;) {
      std::string sign;
      for (const char* one : {"+", "-", "*", "/", "%", "||"}) if (now().kind == Token::Sign && now().text == one) sign = one;
      if (sign.empty()) return left;
      ++at_;
      left = Node{Node::Other, sign, {std::move(left), cast()}};
    }
  }
  Node cast() {
    bool minus = false;
    while (is("-") || is("+")) {
      if (is("-")) minus = !minus;
      ++at_;
    }
    Node out = plain();
    if (minus) {
      if (out.kind == Node::Number) out.text = number_text(out.text.front() == '-' ? out.text.substr(1) : "-" + out.text);
      else out = Node{Node::Other, "-", {std::move(out)}};
    }
    while (take("::")) out = as_type(std::move(out), type_name());
    return out;
  }
  std::string type_name() {
    if (now().kind != Token::Word && now().kind != Token::Name) throw Unreadable{};
    std::string name = tokens_[at_++].text;
    if (take(".")) name = tokens_[at_++].text;
    if (name == "character" && take("varying")) name = "varchar";
    if (name == "double" && take("precision")) name = "float8";
    if (take("(")) {
      while (!is(")") && now().kind != Token::End) ++at_;
      need(")");
    }
    if ((name == "timestamp" || name == "time") && (is("with") || is("without"))) {
      ++at_;
      need("time");
      need("zone");
    }
    while (take("[")) need("]");
    return name;
  }
  // A cast of a constant says of which kind it is; any other one changes nothing that matters here.
  static Node as_type(Node value, const std::string& type) {
    static const std::set<std::string> numbers{"integer", "int", "int2", "int4", "int8", "bigint", "smallint", "numeric", "real", "float4", "float8", "decimal"};
    if (value.kind != Node::Text) return value;
    if (numbers.contains(type) && is_number(value.text)) return Node{Node::Number, number_text(value.text), {}};
    if (type == "boolean" || type == "bool") return Node{Node::Word, value.text == "t" || value.text == "true" ? "true" : "false", {}};
    return value;
  }
  Node plain() {
    auto& token = now();
    if (take("(")) {
      Node out = either();
      if (take(",")) {
        out = Node{Node::List, "", {std::move(out)}};
        do out.parts.push_back(either());
        while (take(","));
      }
      need(")");
      return out;
    }
    if (token.kind == Token::Text) { ++at_; return {Node::Text, token.text, {}}; }
    if (token.kind == Token::Number) { ++at_; return {Node::Number, number_text(token.text), {}}; }
    if (token.kind == Token::Name) {
      ++at_;
      if (take(".")) return {Node::Name, tokens_[at_++].text, {}};
      return {Node::Name, token.text, {}};
    }
    if (token.kind != Token::Word) throw Unreadable{};
    static const std::set<std::string> reserved{"case", "when", "select", "exists", "and", "or", "in", "is", "then", "else", "end"};
    if (reserved.contains(token.text)) throw Unreadable{};
    ++at_;
    if (token.text == "true" || token.text == "false" || token.text == "null") return {Node::Word, token.text, {}};
    if (token.text == "array" && take("[")) {
      Node out{Node::List, "", {}};
      if (take("]")) return out;
      do out.parts.push_back(either());
      while (take(","));
      need("]");
      return out;
    }
    if (token.text == "cast" && take("(")) {
      Node value = either();
      need("as");
      auto type = type_name();
      need(")");
      return as_type(std::move(value), type);
    }
    if (take("(")) {
      Node out{Node::Call, token.text, {}};
      if (out.text == "char_length" || out.text == "character_length") out.text = "length";
      if (out.text == "ifnull") out.text = "coalesce";
      if (take(")")) return out;
      do out.parts.push_back(either());
      while (take(","));
      need(")");
      return out;
    }
    if (take(".")) return {Node::Name, tokens_[at_++].text, {}};
    return {Node::Name, token.text, {}};
  }

  const std::vector<Token>& tokens_;
  std::size_t at_ = 0;
};

std::string text_of(const Node& node);

std::string joined(const std::vector<std::string>& items, std::string_view between) {
  std::string out;
  for (auto& item : items) out += (out.empty() ? "" : std::string(between)) + item;
  return out;
}

// An IN, or an equality, as "left" and its allowed constants.
std::optional<std::pair<std::string, std::set<std::string>>> choice(const Node& node) {
  if (node.kind == Node::In) {
    std::set<std::string> all;
    for (std::size_t i = 1; i < node.parts.size(); ++i) all.insert(text_of(node.parts[i]));
    return std::pair{text_of(node.parts[0]), std::move(all)};
  }
  if (node.kind == Node::Compare && node.text == "=" && node.parts[1].kind == Node::Text) return std::pair{text_of(node.parts[0]), std::set{text_of(node.parts[1])}};
  if (node.kind == Node::Compare && node.text == "=" && node.parts[0].kind == Node::Text) return std::pair{text_of(node.parts[1]), std::set{text_of(node.parts[0])}};
  if (node.kind != Node::Or) return std::nullopt;
  std::optional<std::pair<std::string, std::set<std::string>>> out;
  for (auto& part : node.parts) {
    auto one = choice(part);
    if (!one || (out && out->first != one->first)) return std::nullopt;
    if (!out) out = std::move(one);
    else out->second.insert(one->second.begin(), one->second.end());
  }
  return out;
}

void split(const Node& node, std::set<std::string>& out) {
  if (node.kind == Node::And) {
    for (auto& part : node.parts) split(part, out);
    return;
  }
  out.insert(text_of(node));
}

std::string text_of(const Node& node) {
  if (auto one = choice(node)) return one->first + " in (" + joined({one->second.begin(), one->second.end()}, ",") + ")";
  switch (node.kind) {
    case Node::Name: return node.text;
    case Node::Number: case Node::Word: return node.text;
    case Node::Text: return "'" + node.text + "'";
    case Node::Call: {
      std::vector<std::string> parts;
      for (auto& part : node.parts) parts.push_back(text_of(part));
      return node.text + "(" + joined(parts, ",") + ")";
    }
    case Node::List: {
      std::vector<std::string> parts;
      for (auto& part : node.parts) parts.push_back(text_of(part));
      return "[" + joined(parts, ",") + "]";
    }
    case Node::Compare: {
      auto sign = node.text;
      auto *left = &node.parts[0], *right = &node.parts[1];
      auto constant = [](const Node& n) { return n.kind == Node::Number || n.kind == Node::Text; };
      if (constant(*left) && !constant(*right)) {
        std::swap(left, right);
        if (sign == "<") sign = ">";
        else if (sign == ">") sign = "<";
        else if (sign == "<=") sign = ">=";
        else if (sign == ">=") sign = "<=";
      }
      auto value = text_of(*right);
      // Limits stand on whole numbers only, so less than six is five at most.
      std::int64_t n = 0;
      bool whole = right->kind == Node::Number && std::from_chars(value.data(), value.data() + value.size(), n).ptr == value.data() + value.size();
      if (whole && sign == "<" && n > INT64_MIN) { sign = "<="; value = std::to_string(n - 1); }
      if (whole && sign == ">" && n < INT64_MAX) { sign = ">="; value = std::to_string(n + 1); }
      return text_of(*left) + " " + sign + " " + value;
    }
    case Node::And: {
      std::set<std::string> parts;
      split(node, parts);
      return "(" + joined({parts.begin(), parts.end()}, " and ") + ")";
    }
    case Node::Or: {
      std::set<std::string> parts;
      for (auto& part : node.parts) parts.insert(text_of(part));
      return "(" + joined({parts.begin(), parts.end()}, " or ") + ")";
    }
    case Node::Not: return "not " + text_of(node.parts[0]);
    case Node::In: break;  // a choice, see above
    case Node::Other: {
      std::vector<std::string> parts;
      for (auto& part : node.parts) parts.push_back(text_of(part));
      return node.parts.size() == 1 ? node.text + parts[0] : "(" + joined(parts, " " + node.text + " ") + ")";
    }
  }
  return "";
}

std::optional<Node> read(std::string_view expression) {
  auto tokens = tokens_of(expression);
  try {
    return Reader(tokens).whole();
  } catch (const Unreadable&) {
    return std::nullopt;
  }
}

std::string words_of(std::string_view expression) {
  std::string out;
  for (auto& token : tokens_of(expression)) {
    if (token.kind == Token::End) break;
    out += (out.empty() ? "" : " ") + (token.kind == Token::Text ? "'" + token.text + "'" : token.text);
  }
  return out;
}

// From the token after an opening parenthesis at `open` to its closing one.
std::size_t closing(const std::vector<Token>& tokens, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < tokens.size(); ++i) {
    if (tokens[i].kind != Token::Sign) continue;
    if (tokens[i].text == "(") ++depth;
    if (tokens[i].text == ")" && --depth == 0) return i;
  }
  return tokens.size() - 1;
}

}  // namespace

std::string canonical(std::string_view expression) {
  auto node = read(expression);
  return node ? text_of(*node) : words_of(expression);
}

std::vector<std::string> conditions(std::string_view expression) {
  auto node = read(expression);
  if (!node) return {words_of(expression)};
  std::set<std::string> out;
  split(*node, out);
  return {out.begin(), out.end()};
}

CreateTableText read_create_table(std::string_view sql) {
  CreateTableText out;
  auto tokens = tokens_of(sql);
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (tokens[i].kind != Token::Word) continue;
    if (tokens[i].text == "autoincrement") out.counts_ids = true;
    if (tokens[i].text == "check" && tokens[i + 1].text == "(" && tokens[i + 1].kind == Token::Sign) {
      auto end = closing(tokens, i + 1);
      out.checks.emplace_back(sql.substr(tokens[i + 1].end, tokens[end].begin - tokens[i + 1].end));
      i = end;
    }
  }
  return out;
}

CreateIndexText read_create_index(std::string_view sql) {
  CreateIndexText out;
  auto tokens = tokens_of(sql);
  std::size_t open = 0;
  while (open < tokens.size() && !(tokens[open].kind == Token::Sign && tokens[open].text == "(")) ++open;
  if (open >= tokens.size()) return out;
  auto end = closing(tokens, open);
  auto begin = open + 1;
  int depth = 0;
  auto item = [&](std::size_t until) {
    auto last = until;
    // The order of a column makes no difference to what is found by it, nor does a collation to what we compare.
    if (last > begin && (tokens[last - 1].text == "asc" || tokens[last - 1].text == "desc")) --last;
    if (last > begin + 1 && tokens[last - 2].text == "collate") last -= 2;
    if (last > begin) out.items.push_back(canonical(sql.substr(tokens[begin].begin, tokens[last - 1].end - tokens[begin].begin)));
    begin = until + 1;
  };
  for (std::size_t i = open + 1; i < end; ++i) {
    if (tokens[i].kind != Token::Sign) continue;
    if (tokens[i].text == "(") ++depth;
    if (tokens[i].text == ")") --depth;
    if (tokens[i].text == "," && depth == 0) item(i);
  }
  item(end);
  if (end + 1 < tokens.size() && tokens[end + 1].text == "where") out.where = canonical(sql.substr(tokens[end + 1].end));
  return out;
}

}  // namespace basalt::upgrade
