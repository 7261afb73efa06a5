#include "query/template.h"

#include "query/failures.h"

namespace basalt::query {
namespace {

constexpr int deepest_block = 50;

class TemplateParser {
 public:
  explicit TemplateParser(std::string_view sql) : sql_(sql) {}

  std::vector<TemplatePiece> pieces(int depth) {
    if (depth > deepest_block) invalid_query("The [[ ]] blocks of the SQL are nested too deeply.", "native.query");
    std::vector<TemplatePiece> result;
    std::string text;
    auto flush = [&] {
      if (!text.empty()) result.push_back({TemplatePiece::Kind::Text, std::move(text)});
      text.clear();
    };
    while (at_ < sql_.size()) {
      if (depth == 0 && starts("--")) {
        take_until("\n", text);
      } else if (depth == 0 && starts("/*")) {
        take_until("*/", text);
      } else if (starts("{{")) {
        // Of three or more braces the last two count.
        while (starts("{{{")) { text += '{'; ++at_; }
        flush();
        result.push_back({TemplatePiece::Kind::Parameter, parameter()});
      } else if (starts("[[")) {
        flush();
        at_ += 2;
        TemplatePiece block{TemplatePiece::Kind::Optional, ""};
        block.inside = pieces(depth + 1);
        if (!starts("]]")) invalid_query("A [[ in the SQL has no matching ]].", "native.query");
        at_ += 2;
        if (!has_parameter(block)) invalid_query("A [[ ]] block in the SQL needs a {{variable}}: it is kept only when the variable has a value.", "native.query");
        result.push_back(std::move(block));
      } else if (depth > 0 && starts("]]")) {
        break;
      } else {
        text += sql_[at_++];
      }
    }
    flush();
    return result;
  }

 private:
  bool starts(std::string_view token) const { return sql_.substr(at_).starts_with(token); }
  void take_until(std::string_view end, std::string& text) {
    auto found = sql_.find(end, at_ + 2);
    auto stop = found == std::string_view::npos ? sql_.size() : found + end.size();
    text += sql_.substr(at_, stop - at_);
    at_ = stop;
  }
  std::string parameter() {
    at_ += 2;
    auto end = sql_.find("}}", at_);
    if (end == std::string_view::npos) invalid_query("A {{ in the SQL has no matching }}.", "native.query");
    auto name = sql_.substr(at_, end - at_);
    if (name.find("{{") != std::string_view::npos) invalid_query("A {{variable}} in the SQL cannot stand inside another.", "native.query");
    while (!name.empty() && static_cast<unsigned char>(name.front()) <= ' ') name.remove_prefix(1);
    while (!name.empty() && static_cast<unsigned char>(name.back()) <= ' ') name.remove_suffix(1);
    if (name.empty()) invalid_query("A {{ }} in the SQL needs the name of a variable.", "native.query");
    at_ = end + 2;
    return std::string(name);
  }
  static bool has_parameter(const TemplatePiece& block) {
    for (auto& piece : block.inside)
      if (piece.kind == TemplatePiece::Kind::Parameter || (piece.kind == TemplatePiece::Kind::Optional && has_parameter(piece))) return true;
    return false;
  }

  std::string_view sql_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<TemplatePiece> parse_template(std::string_view sql) { return TemplateParser(sql).pieces(0); }

}  // namespace basalt::query
