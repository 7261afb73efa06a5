// What a result column is: its name, titles, types and where it comes from, as the API shows it.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "query/catalog.h"
#include "query/temporal_unit.h"

namespace basalt::query {

struct BinningInfo { double low = 0, high = 0, width = 0; std::int64_t bins = 0; std::string strategy; };

struct ResultColumn {
  std::string name;                         // unique within the result, also the column's alias in SQL
  std::string display_name;
  std::string base_type = "type/*", effective_type = "type/*", database_type = {};
  std::optional<std::string> semantic_type = {}, description = {}, coercion_strategy = {};
  std::string source = "fields";            // fields | breakout | aggregation | native
  json::value field_ref = nullptr;          // MBQL 4 form
  // Of real fields:
  std::optional<FieldId> id = {}, fk_target = {};
  std::optional<TableId> table = {};
  std::string visibility_type = "normal";
  int position = 0;
  json::value settings = nullptr, fingerprint = nullptr;
  // Of special columns:
  std::optional<TemporalUnit> unit = {};
  std::optional<BinningInfo> binning = {};
  std::optional<FieldId> fk_field = {};     // implicit join: the key that was followed
  std::string join_alias = {}, expression_name = {}, remapped_from = {}, remapped_to = {}, converted_timezone = {};
  std::optional<std::size_t> aggregation_index = {};
  // Labels by value (internal remapping): the pipeline adds the text column `remapped_to`, which stands right after the
  // ordinary columns in `columns` and is marked by `labels_of`, the index of the column it labels. It has no SQL column.
  std::optional<std::size_t> labels_of = {};
  std::vector<std::pair<json::value, std::string>> labels = {};

  json::object to_json() const;             // an entry of data.cols
  json::object to_metadata() const;         // an entry of data.results_metadata.columns and of a card's result_metadata
  void write_json(std::string& out) const;      // appends to_json() as text, without building it
  void write_metadata(std::string& out) const;  // appends to_metadata() as text
};

// Column of native SQL (or of a nested query whose columns were unknown), from what the driver says.
ResultColumn native_column(const std::string& name, const std::string& base_type, const std::string& database_type);
// Makes the names unique (`_2`, `_3`, case-insensitively) in order, field_refs by name included.
void make_names_unique(std::vector<ResultColumn>& columns);

}  // namespace basalt::query
