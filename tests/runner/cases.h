// Golden cases of queries: tests/cases/query/*.case over tests/datasets/shop. A case reads
//
//   # what it shows
//   options      {"now", "time_zone", "start_of_week", "parameters", "pivot"}, may be absent
//   query        the inner query, or a whole one; "@orders" and "@orders.total" stand for the ids of the schema
//   error        or: the sentence it is refused with, and the place
//   columns      name | title | type | semantic type | source
//   sql          text of every dialect that has no block of its own (`sql sqlite`), values written in
//   rows         must hold on every engine that has no block of its own (`rows sqlite`); as a set when nothing orders them
//
// BASALT_REWRITE=1 writes what came out; the difference is reviewed before it is committed.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/failure.h"
#include "query/parse.h"
#include "query/resolve.h"
#include "query/testing.h"
#include "query/uses.h"
#include "query/write.h"
#include "sql/compile.h"

namespace basalt::cases {

inline const std::vector<std::string>& engines() {
  static const std::vector<std::string> names{"postgres", "duckdb", "sqlite", "mysql"};  // the first is the one that others differ from
  return names;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Case {
  std::filesystem::path path;
  std::string title;
  std::map<std::string, std::string> blocks;  // "sql sqlite" -> text without the last newline

  static Case read(const std::filesystem::path& path) {
    Case result;
    result.path = path;
    std::istringstream lines(read_file(path));
    std::string line, block;
    bool first_of_block = false;
    while (std::getline(lines, line)) {
      if (block.empty() && line.starts_with("# ")) { result.title = line.substr(2); continue; }
      auto space = line.find(' ');
      auto word = line.substr(0, space);
      bool heading = word == "options" || word == "query" || word == "error" || word == "columns" || word == "sql" || word == "rows";
      if (heading && line.size() < 16 && line.find_first_of("({\"|") == std::string::npos) {
        block = line;
        result.blocks[block];
        first_of_block = true;
        continue;
      }
      if (block.empty()) throw std::runtime_error(path.string() + ": text before the first block");
      auto& text = result.blocks[block];
      if (!first_of_block) text += '\n';
      text += line;
      first_of_block = false;
    }
    return result;
  }

  void write() const {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << "# " << title << "\n";
    auto put = [&](const std::string& name) {
      auto found = blocks.find(name);
      if (found != blocks.end()) file << name << "\n" << found->second << "\n";
    };
    for (auto name : {"options", "query", "error", "columns"}) put(name);
    for (auto name : {"sql", "rows"}) {
      put(name);
      for (auto& engine : engines()) put(std::string(name) + " " + engine);
    }
  }

  // "sql" for an engine: its own block, else the common one.
  const std::string* block(const std::string& name, const std::string& engine) const {
    if (auto own = blocks.find(name + " " + engine); own != blocks.end()) return &own->second;
    auto common = blocks.find(name);
    return common == blocks.end() ? nullptr : &common->second;
  }
  // The first engine's text becomes the common one; others get a block where they differ.
  void set(const std::string& name, const std::map<std::string, std::string>& texts) {
    for (auto& engine : engines())
      if (texts.contains(engine)) blocks.erase(name + " " + engine);
    std::string common;
    bool have = false;
    for (auto& engine : engines()) {
      auto text = texts.find(engine);
      if (text == texts.end()) continue;
      if (!have) { common = text->second; have = true; }
      else if (text->second != common) blocks[name + " " + engine] = text->second;
    }
    if (have) blocks[name] = common;
  }
};

inline std::filesystem::path root() { return std::filesystem::path(BASALT_SOURCE_DIR) / "tests"; }
inline bool rewriting() { auto* asked = std::getenv("BASALT_REWRITE"); return asked && *asked && std::string(asked) != "0"; }

inline std::vector<std::filesystem::path> all_cases() {
  std::vector<std::filesystem::path> paths;
  for (auto& entry : std::filesystem::directory_iterator(root() / "cases" / "query"))
    if (entry.path().extension() == ".case") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

inline const json::value& schema() {
  static const json::value document = json::parse(read_file(root() / "datasets" / "shop" / "schema.json"));
  return document;
}

inline json::value with_ids(const json::value& v) {
  if (auto* array = v.if_array()) {
    json::array out;
    for (auto& item : *array) out.push_back(with_ids(item));
    return out;
  }
  if (auto* object = v.if_object()) {
    json::object out;
    for (auto& entry : *object) out[entry.key()] = with_ids(entry.value());
    return out;
  }
  if (!v.is_string() || !v.get_string().starts_with("@")) return v;
  std::string name(v.get_string());
  auto dot = name.find('.');
  for (auto& table : *json::sub_array(schema(), "tables")) {
    if (json::text(table, "name") != name.substr(1, dot == std::string::npos ? dot : dot - 1)) continue;
    if (dot == std::string::npos) return *json::find(table, "id");
    for (auto& field : *json::sub_array(table, "fields"))
      if (json::text(field, "name") == name.substr(dot + 1)) return *json::find(field, "id");
  }
  throw std::runtime_error("the schema has no " + name);
}

struct Ready {
  query::ResolvedQuery resolved;
  json::value options;
};

inline json::object whole_query(const Case& c) {
  auto body = with_ids(json::parse(c.blocks.at("query")));
  auto& top = body.get_object();
  json::object whole;
  if (top.contains("query") || top.contains("native") || top.contains("stages")) whole = top;
  else whole["query"] = body;
  if (!whole.contains("database")) whole["database"] = 1;
  return whole;
}

// `form`: the query is written in that form first, and read from there.
inline Ready prepare(const Case& c, query::JsonCatalog& catalog, std::optional<query::Form> form = {}) {
  Ready result;
  result.options = json::object{};
  if (auto found = c.blocks.find("options"); found != c.blocks.end()) result.options = with_ids(json::parse(found->second));
  auto whole = whole_query(c);
  query::ResolveOptions options;
  options.now = *parse_timestamp(json::text(result.options, "now").value_or("2024-05-17T10:00:00Z"));
  options.time_zone = json::text(result.options, "time_zone").value_or("");
  options.start_of_week = json::text(result.options, "start_of_week").value_or("sunday");
  options.max_results = json::integer(result.options, "max_results").value_or(0);
  options.max_results_bare = json::integer(result.options, "max_results_bare").value_or(0);
  options.time_zones = sql::find_dialect(catalog.own_database()->engine)->supports.time_zones;
  if (auto* parameters = json::sub_array(result.options, "parameters")) options.parameters = *parameters;
  if (auto* pivot = json::find(result.options, "pivot")) {
    query::PivotOptions wanted{.known = true, .row_totals = json::boolean(*pivot, "row_totals").value_or(true), .column_totals = json::boolean(*pivot, "column_totals").value_or(true)};
    for (auto [key, side] : {std::pair{"rows", &wanted.rows}, {"columns", &wanted.columns}})
      if (auto* list = json::sub_array(*pivot, key))
        for (auto& item : *list) side->push_back(static_cast<std::size_t>(item.as_int64()));
    options.pivot = wanted;
  }
  if (form) whole = query::convert_query(whole, *form);
  auto parsed = query::parse_query(whole);
  query::uses(parsed, catalog, options.parameters);
  result.resolved = query::resolve(std::move(parsed), catalog, options);
  return result;
}

inline query::JsonCatalog catalog(const std::string& engine) {
  query::JsonCatalog result(schema());
  result.own_database()->engine = engine;
  return result;
}

}  // namespace basalt::cases
