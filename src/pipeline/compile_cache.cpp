#include "pipeline/compile_cache.h"

#include <algorithm>

#include "pipeline/run_query.h"

namespace basalt::pipeline {
namespace {

std::shared_ptr<const void> state_of(query::Catalog& catalog, const RecordingCatalog::Key& key) {
  return std::visit([&](auto id) { return catalog.state_of(id); }, key);
}

bool same(const std::weak_ptr<const void>& kept, const std::shared_ptr<const void>& now) {
  // By owner, not by address: an address is used again once its object is gone.
  return now && !kept.owner_before(now) && !now.owner_before(kept);
}

std::size_t estimated_bytes(const std::string& key, const CompiledQuery& compiled) {
  // A column lies there as values, and as text twice once it was shown.
  std::size_t bytes = 1024 + 2 * key.size() + compiled.statement.text.size() + 2048 * std::max<std::size_t>(4, compiled.columns.size());
  for (auto& column : compiled.columns) {
    bytes += 2 * column.display_name.size() + (column.description ? 4 * column.description->size() : 0);
    if (!column.fingerprint.is_null()) bytes += 1024;
    for (auto& [value, label] : column.labels) bytes += 64 + label.size();
  }
  for (auto& value : compiled.statement.values)
    if (auto* text = std::get_if<std::string>(&value)) bytes += text->size();
  return bytes;
}

}  // namespace

std::shared_ptr<const Shown> CompiledQuery::shown() const {
  std::lock_guard lock(mutex_);
  return shown_;
}

void CompiledQuery::keep_shown(std::shared_ptr<const Shown> shown) const {
  std::lock_guard lock(mutex_);
  shown_.swap(shown);
}

void RecordingCatalog::note(Key key) {
  if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) asked_.push_back(key);
}

const query::Database* RecordingCatalog::database(DatabaseId id) {
  note(id);
  return inner_.database(id);
}
const query::Table* RecordingCatalog::table(TableId id) {
  note(id);
  return inner_.table(id);
}
const query::Field* RecordingCatalog::field(FieldId id) {
  auto* found = inner_.field(id);
  if (found) note(found->table);
  else comparable_ = false;  // it may be there next time
  return found;
}
std::vector<const query::Field*> RecordingCatalog::fields_of(TableId id) {
  note(id);
  return inner_.fields_of(id);
}
const query::Field* RecordingCatalog::primary_key(TableId id) {
  note(id);
  return inner_.primary_key(id);
}
const query::SourceCard* RecordingCatalog::card(CardId id) {
  comparable_ = false;
  return inner_.card(id);
}
std::optional<std::string> RecordingCatalog::snippet(std::string_view name) {
  comparable_ = false;
  return inner_.snippet(name);
}
const query::Table* RecordingCatalog::table_named(DatabaseId database, const std::string& schema, const std::string& name) {
  comparable_ = false;
  return inner_.table_named(database, schema, name);
}
json::value RecordingCatalog::segment(std::int64_t id) {
  comparable_ = false;
  return inner_.segment(id);
}
json::value RecordingCatalog::measure(std::int64_t id) {
  comparable_ = false;
  return inner_.measure(id);
}

CompileCache::CompileCache(std::size_t most_bytes) : most_bytes_(most_bytes) {}

std::shared_ptr<const CompiledQuery> CompileCache::find(const std::string& key, query::Catalog& catalog) {
  std::shared_ptr<const CompiledQuery> compiled;
  std::shared_ptr<const std::vector<Source>> sources;
  {
    std::lock_guard lock(mutex_);
    auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    compiled = found->second->compiled;
    sources = found->second->sources;
  }
  // The catalogue may have to read: not under the lock.
  bool still = std::all_of(sources->begin(), sources->end(), [&](auto& source) { return same(source.state, state_of(catalog, source.key)); });
  if (still) return compiled;
  std::lock_guard lock(mutex_);
  if (auto found = by_key_.find(key); found != by_key_.end() && found->second->compiled == compiled) erase(found->second);
  return nullptr;
}

void CompileCache::keep(std::string key, std::shared_ptr<const CompiledQuery> compiled, const RecordingCatalog& recorded, query::Catalog& catalog) {
  if (!recorded.comparable() || key.size() > longest_key) return;
  auto sources = std::make_shared<std::vector<Source>>();
  for (auto& asked : recorded.asked()) {
    auto state = state_of(catalog, asked);
    if (!state) return;
    sources->push_back({asked, state});
  }
  auto bytes = estimated_bytes(key, *compiled);
  if (bytes > most_bytes_ / 4) return;
  std::lock_guard lock(mutex_);
  if (auto found = by_key_.find(key); found != by_key_.end()) erase(found->second);
  entries_.push_front({std::move(key), std::move(compiled), std::move(sources), bytes});
  by_key_.emplace(entries_.front().key, entries_.begin());
  bytes_ += bytes;
  while (bytes_ > most_bytes_) erase(std::prev(entries_.end()));
}

std::size_t CompileCache::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

void CompileCache::erase(std::list<Entry>::iterator entry) {
  bytes_ -= entry->bytes;
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

std::string compile_key(const QueryRequest& request, const Settings& settings) {
  std::string key;
  key.reserve(512);
  // A blank parts what is written: JSON holds none outside its strings, and these are quoted.
  auto add_text = [&](std::string_view text) { json::write_string(key, text); };
  auto add_number = [&](auto number) {
    json::write_number(key, number);
    key += ' ';
  };
  json::write_to(key, request.dataset_query);
  key += ' ';
  for (auto& parameter : request.parameters) json::write_to(key, parameter);
  key += ' ';
  json::write_to(key, request.card_metadata);
  key += ' ';
  if (auto& pivot = request.pivot) {
    for (auto* side : {&pivot->rows, &pivot->columns}) {
      key += 'p';
      for (auto i : *side) add_number(static_cast<std::int64_t>(i));
    }
    key += pivot->known ? 'k' : '-';
    key += pivot->row_totals ? 'r' : '-';
    key += pivot->column_totals ? 'c' : '-';
  }
  key += ' ';
  add_number(request.constraints.max_results);
  add_number(request.constraints.max_results_bare);
  add_number(static_cast<std::int64_t>(request.integers_as_text));
  add_text(settings.report_time_zone);
  add_text(settings.start_of_week);
  add_number(settings.breakout_bins);
  add_number(settings.breakout_bin_width);
  return key;
}

}  // namespace basalt::pipeline
