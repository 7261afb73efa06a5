// The text of a native query cut at its variables: {{name}} and [[optional blocks]].
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace basalt::query {

struct TemplatePiece {
  enum class Kind { Text, Parameter, Optional } kind = Kind::Text;
  std::string text;                          // the text, or the parameter's name
  std::vector<TemplatePiece> inside = {};    // of an optional block
};

// Parameters inside comments stay text, except that a comment opener inside an optional block means nothing. Throws Failure
// BadRequest (invalid-query) for brackets that do not match, empty names and blocks without a parameter.
std::vector<TemplatePiece> parse_template(std::string_view sql);

}  // namespace basalt::query
