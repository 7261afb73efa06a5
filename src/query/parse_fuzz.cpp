// Any JSON: read, written in both forms and read again, its uses found, looked up and rewritten, also as a pivot. Only Failures
// may come out.
#include <cstddef>

#include "base/failure.h"
#include "query/parse.h"
#include "query/resolve.h"
#include "query/testing.h"
#include "query/uses.h"
#include "query/write.h"

namespace {

const basalt::json::value& document() {
  static const auto value = basalt::json::parse(R"({"database": {"id": 1, "name": "d", "engine": "any"}, "tables": [
    {"id": 1, "name": "a", "fields": [{"id": 1, "name": "id", "base_type": "type/Integer", "semantic_type": "type/PK"},
      {"id": 2, "name": "b_id", "base_type": "type/Integer", "semantic_type": "type/FK", "fk_target": 4},
      {"id": 3, "name": "at", "base_type": "type/DateTime"},
      {"id": 6, "name": "n", "base_type": "type/Float", "fingerprint": {"type": {"type/Number": {"min": -3, "max": 1e9}}}}]},
    {"id": 2, "name": "b", "fields": [{"id": 4, "name": "id", "base_type": "type/Integer", "semantic_type": "type/PK"},
      {"id": 5, "name": "title", "base_type": "type/Text"}]}],
    "cards": [{"id": 1, "name": "c", "dataset_query": {"database": 1, "type": "query", "query": {"source-table": 1}}},
      {"id": 2, "name": "loop", "dataset_query": {"database": 1, "type": "query", "query": {"source-table": "card__2"}}}],
    "snippets": {"s": "x = {{y}}", "t": "{{snippet: t}}"}, "segments": {"1": {"source-table": 1, "filter": ["=", ["field", 1, null], 1]}}, "measures": {"1": {"source-table": 1, "aggregation": [["sum", ["field", 6, null]]]}}})");
  return value;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  auto value = basalt::json::try_parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!value) return 0;
  try {
    using basalt::query::Form;
    auto query = basalt::query::parse_query(*value);
    for (auto form : {Form::Mbql4, Form::Mbql5}) {
      try {
        basalt::query::parse_query(basalt::query::write_query(query, form));
      } catch (const basalt::Failure&) {
      }
    }
    basalt::query::JsonCatalog catalog(document());
    basalt::query::uses(query, catalog);
    basalt::query::ResolveOptions options;
    options.now = basalt::Timestamp(std::chrono::seconds(1'715'940'000));
    options.max_results_bare = 2000;
    if (size % 4 == 0) options.pivot = basalt::query::PivotOptions{.known = size % 8 == 0, .rows = {0}, .columns = {1}};
    basalt::query::resolve(std::move(query), catalog, options);
  } catch (const basalt::Failure&) {
  }
  return 0;
}
