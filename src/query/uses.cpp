#include "query/uses.h"

#include <algorithm>

#include "query/failures.h"
#include "query/parameters.h"
#include "query/parse.h"
#include "query/passes/saved_clauses.h"
#include "query/template.h"

namespace basalt::query {
namespace {

constexpr std::size_t deepest = 30;
constexpr int most_saved_clauses = 200;  // each as often as it is named

class Reader {
 public:
  Reader(Catalog& catalog, Uses& result) : catalog_(catalog), result_(result) {}

  void stages(const std::vector<Stage>& all) {
    for (auto& stage : all) {
      if (auto* table = std::get_if<TableSource>(&stage.source)) add_table(table->table);
      if (auto* source = std::get_if<CardSource>(&stage.source)) {
        card(source->card);
        // A metric as source stands for the rows it is computed from: who may see its number may not see those by that.
        if (auto* found = catalog_.card(source->card); found && found->kind == "metric") stages(parse_query(found->dataset_query).stages);
      }
      if (auto* source = std::get_if<NativeSource>(&stage.source)) native(source->query);
      for (auto& appended : stage.append) stages(appended.stages);
      for (auto& join : stage.joins) {
        stages(join.stages);
        if (join.condition) clause(*join.condition);
        for (auto& field : join.listed) clause(field);
      }
      for (auto& named : stage.expressions) clause(named.expression);
      for (auto& named : stage.windows) clause(named.expression);
      if (stage.filter) clause(*stage.filter);
      for (auto& aggregation : stage.aggregations) clause(aggregation);
      for (auto& breakout : stage.breakouts) clause(breakout);
      if (stage.fields)
        for (auto& field : *stage.fields) clause(field);
      for (auto& ordering : stage.order_by) clause(ordering.by);
      if (stage.compare) clause(stage.compare->field);
      display_values(stage);
      targets(stage.parameters);
    }
  }

  // Filters can reach through foreign keys, too.
  void targets(const json::array& parameters) {
    for (auto& parameter : parameters)
      if (auto* target = json::find(parameter, "target"))
        if (auto read = parameter_target(*target); read && read->column) clause(*read->column);
  }

 private:
  void add_table(TableId id) {
    auto* table = catalog_.table(id);
    if (!table) throw Failure(FailureKind::NotFound, "Table " + std::to_string(id.value) + " does not exist.").with_error_type("invalid-query");
    auto& tables = path_.empty() ? result_.tables : result_.tables_in_cards;
    if (std::find(tables.begin(), tables.end(), id) == tables.end()) tables.push_back(id);
  }

  void field(FieldId id) {
    auto* field = catalog_.field(id);
    if (field) add_table(field->table);
  }

  void reference(const FieldReference& reference) {
    // Through a foreign key, into another table. Other fields belong to sources that are named already.
    if (reference.source_field || !reference.source_field_name.empty())
      if (auto* id = std::get_if<FieldId>(&reference.field)) field(*id);
  }

  void clause(const Expression& e) {
    if (auto* field = std::get_if<FieldReference>(&e.node)) reference(*field);
    if (auto* call = e.call(); call && (call->function == Function::Metric)) {
      auto id = json::as_integer(e.arguments[0].literal()->value);
      if (id) {
        card(CardId(*id));
        // The query can group by and show what it joins.
        if (auto* found = catalog_.card(CardId(*id)); found && found->kind == "metric") {
          auto metric = parse_query(found->dataset_query);
          for (auto& join : metric.stages.back().joins) stages(join.stages);
        }
      }
    }
    // What a saved clause reaches through foreign keys is reached by the query that names it.
    if (e.is(Function::Segment) || e.is(Function::Measure)) {
      if (saved_depth_ > deepest_saved_clause) invalid_query("Segments and measures are built on each other too deeply.");
      if (++saved_count_ > most_saved_clauses) invalid_query("The query uses too many segments and measures.");
      auto saved = saved_clause(e, catalog_);
      // Its name and what it is about are for those who may read its table.
      if (auto* its = std::get_if<TableSource>(&saved.stage.source)) add_table(its->table);
      ++saved_depth_;
      if (saved.stage.filter) clause(*saved.stage.filter);
      for (auto& aggregation : saved.stage.aggregations) clause(aggregation);
      --saved_depth_;
    }
    for (auto& argument : e.arguments) clause(argument);
  }

  // Keys shown as a column of another table read that table, too.
  void display_values(const Stage& stage) {
    auto* table = std::get_if<TableSource>(&stage.source);
    if (!table) return;
    auto shown = [&](const Field* f) {
      if (f && f->remap_to_field) field(*f->remap_to_field);
    };
    auto by_reference = [&](const Expression& e) {
      if (auto* reference = std::get_if<FieldReference>(&e.node))
        if (auto* id = std::get_if<FieldId>(&reference->field)) shown(catalog_.field(*id));
    };
    if (stage.grouped()) for (auto& breakout : stage.breakouts) by_reference(breakout);
    else if (stage.fields) for (auto& field : *stage.fields) by_reference(field);
    else for (auto* f : catalog_.fields_of(table->table)) shown(f);
  }

  void native(const NativeQuery& query) {
    if (path_.empty()) result_.native = true;
    for (auto& tag : query.tags) {
      if (tag.table) add_table(*tag.table);
      else if (!tag.table_name.empty())
        if (auto* table = catalog_.table_named(result_.database, tag.table_schema, tag.table_name)) add_table(table->id);
      if (tag.card) card(*tag.card);
    }
    // {{#42}} works without a tag of that name.
    names(parse_template(query.text), 0);
  }
  void names(const std::vector<TemplatePiece>& pieces, int depth) {
    if (depth > 60) return;
    for (auto& piece : pieces) {
      names(piece.inside, depth + 1);
      if (piece.kind != TemplatePiece::Kind::Parameter || piece.text.size() < 2) continue;
      if (piece.text[0] == '#') {
        std::int64_t id = 0;
        for (std::size_t i = 1; i < piece.text.size() && i < 16 && piece.text[i] >= '0' && piece.text[i] <= '9'; ++i) id = id * 10 + (piece.text[i] - '0');
        if (id > 0) card(CardId(id));
      } else if (piece.text.starts_with("snippet:")) {
        auto start = piece.text.find_first_not_of(" \t", 8);
        auto content = start == std::string::npos ? std::nullopt : catalog_.snippet(std::string_view(piece.text).substr(start));
        if (content && depth < 10) names(parse_template(*content), depth + 1);
      }
    }
  }

  void card(CardId id) {
    if (std::find(path_.begin(), path_.end(), id) != path_.end()) invalid_query("Card " + std::to_string(id.value) + " uses itself as its source.");
    if (path_.size() >= deepest) invalid_query("Cards are built on cards too deeply.");
    for (auto& known : result_.cards)
      if (known.card == id && known.through == path_) return;
    if (result_.cards.size() > 500) invalid_query("The query uses too many cards.");
    auto* found = catalog_.card(id);
    if (!found) throw Failure(FailureKind::NotFound, "Card " + std::to_string(id.value) + " does not exist.").with_error_type("invalid-query");
    result_.cards.push_back({id, path_});
    path_.push_back(id);
    stages(parse_query(found->dataset_query).stages);
    path_.pop_back();
  }

  Catalog& catalog_;
  Uses& result_;
  std::vector<CardId> path_;
  int saved_depth_ = 0, saved_count_ = 0;
};

}  // namespace

Uses uses(const Query& query, Catalog& catalog, const json::array& parameters) {
  Uses result;
  result.database = query.database;
  if (auto* source = std::get_if<CardSource>(&query.stages[0].source); source && query.database.value < 0) {
    auto* card = catalog.card(source->card);
    if (!card) throw Failure(FailureKind::NotFound, "Card " + std::to_string(source->card.value) + " does not exist.").with_error_type("invalid-query");
    result.database = card->database;
  }
  Reader reader(catalog, result);
  reader.stages(query.stages);
  reader.targets(query.parameters);
  reader.targets(parameters);
  return result;
}

}  // namespace basalt::query
