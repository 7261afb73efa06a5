// A card as source becomes the stages of its query, with its stored column metadata.
#include <algorithm>

#include "query/failures.h"
#include "query/parse.h"
#include "query/passes/passes.h"

namespace basalt::query {

std::vector<StoredColumn> stored_columns(const json::value& metadata) {
  std::vector<StoredColumn> result;
  auto* array = metadata.if_array();
  if (!array) return result;
  for (auto& item : *array) {
    auto* o = item.if_object();
    auto name = json::text(item, "name");
    if (!o || !name) continue;
    StoredColumn column{*name, json::text(item, "display_name").value_or(*name), json::text(item, "base_type").value_or("type/*"), "", *o};
    column.effective_type = json::text(item, "effective_type").value_or(column.base_type);
    result.push_back(std::move(column));
  }
  return result;
}

namespace {

constexpr std::size_t deepest = 30;

class Opener {
 public:
  Opener(const PassContext& context, DatabaseId database) : context_(context), database_(database) {}

  void open(std::vector<Stage>& stages) {
    for (auto& stage : stages) {
      for (auto& appended : stage.append) open(appended.stages);
      for (auto& join : stage.joins) open(join.stages);
    }
    auto* source = std::get_if<CardSource>(&stages[0].source);
    if (!source) return;
    auto id = source->card;
    auto* card = context_.catalog.card(id);
    if (!card) throw Failure(FailureKind::NotFound, "Card " + std::to_string(id.value) + " does not exist.").with_error_type("invalid-query");
    // A metric as source stands for its own source; the pass `metrics` reads it.
    if (std::find(path_.begin(), path_.end(), id) != path_.end()) invalid_query("The card \"" + card->name + "\" uses itself as its source.");
    if (path_.size() >= deepest) invalid_query("Cards are built on cards too deeply.");
    if (card->database != database_) invalid_query("The card \"" + card->name + "\" belongs to another database.");
    auto query = parse_query(card->dataset_query);
    path_.push_back(id);
    open(query.stages);
    path_.pop_back();
    for (auto& stage : query.stages)
      if (auto* native = std::get_if<NativeSource>(&stage.source)) native->query.from_card = true;
    auto& first = stages[0];
    first.source = PreviousStage{};
    first.from_card = id;
    first.from_model = card->kind == "model";
    if (first.source_metadata.empty() || first.from_model) first.source_metadata = stored_columns(card->result_metadata);
    if (card->kind == "metric") {
      // Everything of the metric but its aggregation and grouping.
      auto& last = query.stages.back();
      last.aggregations.clear();
      last.breakouts.clear();
      last.order_by.clear();
      first.source_metadata.clear();
    }
    stages.insert(stages.begin(), std::make_move_iterator(query.stages.begin()), std::make_move_iterator(query.stages.end()));
  }

 private:
  const PassContext& context_;
  DatabaseId database_;
  std::vector<CardId> path_;
};

// The virtual database of saved questions: the real one is the card's.
constexpr DatabaseId saved_questions{-1337};

}  // namespace

Query source_cards(Query query, const PassContext& context) {
  if (query.database == saved_questions) {
    auto* source = std::get_if<CardSource>(&query.stages[0].source);
    if (!source) invalid_query("The database of saved questions has only cards: `source-table` is \"card__\" and an id.", "database");
    auto* card = context.catalog.card(source->card);
    if (!card) throw Failure(FailureKind::NotFound, "Card " + std::to_string(source->card.value) + " does not exist.").with_error_type("invalid-query");
    query.database = card->database;
  }
  Opener(context, query.database).open(query.stages);
  return query;
}

}  // namespace basalt::query
