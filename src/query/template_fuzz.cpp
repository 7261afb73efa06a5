// Any SQL with variables in it, with and without values. Only Failures may come out.
#include <cstddef>

#include "base/failure.h"
#include "query/parse.h"
#include "query/resolve.h"
#include "query/template.h"
#include "query/testing.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace basalt;
  std::string sql(reinterpret_cast<const char*>(data), size);
  try {
    query::parse_template(sql);
    static const json::value document = json::parse(R"({"database": {"id": 1, "name": "d", "engine": "any"}, "tables": [
      {"id": 1, "name": "a", "fields": [{"id": 1, "name": "at", "base_type": "type/DateTime"}]}],
      "snippets": {"s": "x = {{y}}", "t": "{{snippet: t}}"}})");
    query::JsonCatalog catalog(document);
    json::object tags{{"x", json::object{{"name", "x"}, {"type", "text"}, {"default", sql}}},
                      {"n", json::object{{"name", "n"}, {"type", "number"}, {"default", sql}}},
                      {"d", json::object{{"name", "d"}, {"type", "dimension"}, {"widget-type", "date/all-options"}, {"dimension", json::array{"field", 1, nullptr}}, {"default", sql}}}};
    json::object body{{"database", 1}, {"type", "native"}, {"native", json::object{{"query", sql}, {"template-tags", tags}}}};
    query::ResolveOptions options;
    query::resolve(query::parse_query(body), catalog, options);
  } catch (const Failure&) {
  }
  return 0;
}
