#include "query/write.h"

#include <cstdio>

#include "query/failures.h"
#include "query/parse.h"

namespace basalt::query {
namespace {

class Writer {
 public:
  explicit Writer(Form form) : five_(form == Form::Mbql5) {}

  json::object query(const Query& query) {
    json::object out;
    if (five_) out["lib/type"] = "mbql/query";
    out["database"] = query.database.value;
    if (five_) {
      out["stages"] = stages(query.stages);
    } else if (query.is_native() && query.stages[0].parameters.empty()) {
      out["type"] = "native";
      out["native"] = native(std::get<NativeSource>(query.stages[0].source).query);
    } else {
      out["type"] = "query";
      out["query"] = inner(query.stages, query.stages.size());
    }
    return out;
  }

 private:
  // ---- stages

  json::array stages(const std::vector<Stage>& all) {
    json::array out;
    for (auto& stage : all) out.push_back(stage_five(stage));
    return out;
  }

  json::object native(const NativeQuery& query) {
    json::object out{{"query", query.text}};
    if (!query.tags_as_given.is_null()) out["template-tags"] = query.tags_as_given;
    for (auto& entry : query.more) out[entry.key()] = entry.value();
    return out;
  }

  json::object stage_five(const Stage& stage) {
    json::object out;
    if (auto* source = std::get_if<NativeSource>(&stage.source)) {
      out["lib/type"] = "mbql.stage/native";
      out["native"] = source->query.text;
      if (!source->query.tags_as_given.is_null()) out["template-tags"] = source->query.tags_as_given;
      for (auto& entry : source->query.more) out[entry.key()] = entry.value();
      if (!only_source(stage)) {
        // SQL and clauses over it are two stages; the caller has them apart already.
        clauses(out, stage);
      }
    } else {
      out["lib/type"] = "mbql.stage/mbql";
      if (auto* table = std::get_if<TableSource>(&stage.source)) out["source-table"] = table->table.value;
      if (auto* card = std::get_if<CardSource>(&stage.source)) out["source-card"] = card->card.value;
      clauses(out, stage);
    }
    if (!stage.source_metadata.empty()) out["source-metadata"] = metadata(stage.source_metadata);
    return out;
  }

  // MBQL 4: the stages up to `count`, each around the one before.
  json::object inner(const std::vector<Stage>& all, std::size_t count) {
    auto& stage = all[count - 1];
    json::object out;
    if (auto* table = std::get_if<TableSource>(&stage.source)) out["source-table"] = table->table.value;
    else if (auto* card = std::get_if<CardSource>(&stage.source)) out["source-table"] = "card__" + std::to_string(card->card.value);
    else if (auto* source = std::get_if<NativeSource>(&stage.source)) {
      auto sql = native(source->query);
      json::object renamed{{"native", sql["query"]}};
      for (auto& entry : sql)
        if (entry.key() != "query") renamed[entry.key()] = entry.value();
      out = std::move(renamed);
    } else {
      out["source-query"] = inner(all, count - 1);
    }
    if (!stage.source_metadata.empty()) out["source-metadata"] = metadata(stage.source_metadata);
    clauses(out, stage);
    return out;
  }

  static bool only_source(const Stage& s) {
    return s.append.empty() && s.joins.empty() && s.expressions.empty() && s.windows.empty() && !s.filter && !s.grouped() && !s.fields && s.order_by.empty() && !s.limit && !s.page && s.parameters.empty();
  }

  static json::array metadata(const std::vector<StoredColumn>& columns) {
    json::array out;
    for (auto& column : columns) out.push_back(column.all);
    return out;
  }

  void clauses(json::object& out, const Stage& stage) {
    uuids_.clear();
    for (std::size_t i = 0; i < stage.aggregations.size(); ++i) uuids_.push_back(uuid());
    auto own = uuids_;
    if (!stage.append.empty()) {
      json::array appended;
      for (auto& each : stage.append) {
        auto one = source_of(each.stages);
        if (each.distinct) one["distinct"] = true;
        appended.push_back(std::move(one));
      }
      out["append"] = std::move(appended);
    }
    if (!stage.joins.empty()) {
      json::array joins;
      for (auto& each : stage.joins) joins.push_back(join(each));
      out["joins"] = std::move(joins);
    }
    uuids_ = std::move(own);
    if (!stage.expressions.empty()) out["expressions"] = named(stage.expressions);
    if (stage.filter) {
      if (!five_) out["filter"] = clause(*stage.filter);
      else if (stage.filter->is(Function::And)) out["filters"] = list(stage.filter->arguments);
      else out["filters"] = json::array{clause(*stage.filter)};
    }
    if (!stage.aggregations.empty()) {
      json::array aggregations;
      for (std::size_t i = 0; i < stage.aggregations.size(); ++i) aggregations.push_back(clause(stage.aggregations[i], uuids_[i]));
      out["aggregation"] = std::move(aggregations);
    }
    if (!stage.breakouts.empty()) out["breakout"] = list(stage.breakouts);
    if (auto& compare = stage.compare) {
      json::object written{{"field", clause(compare->field)}, {"unit", json::value(name_of(compare->unit))}, {"periods", compare->periods}};
      if (compare->to_date) written["to-date"] = true;
      out["compare"] = std::move(written);
    }
    if (!stage.windows.empty()) out["windows"] = named(stage.windows);
    if (stage.fields) out["fields"] = list(*stage.fields);
    if (!stage.order_by.empty()) out["order-by"] = orderings(stage.order_by);
    if (stage.limit) out["limit"] = *stage.limit;
    if (stage.page) out["page"] = json::object{{"page", stage.page->first}, {"items", stage.page->second}};
    if (!stage.parameters.empty()) out["parameters"] = stage.parameters;
  }

  json::object source_of(const std::vector<Stage>& all) {
    if (five_) return {{"stages", stages(all)}};
    if (all.size() == 1 && only_source(all[0]) && all[0].source_metadata.empty() && !std::holds_alternative<NativeSource>(all[0].source)) return inner(all, 1);
    return {{"source-query", inner(all, all.size())}};
  }

  json::object join(const Join& join) {
    auto out = source_of(join.stages);
    if (five_) {
      out["lib/type"] = "mbql/join";
      out["lib/options"] = json::object{{"lib/uuid", uuid()}};
    }
    if (!join.alias.empty()) out["alias"] = join.alias;
    static constexpr const char* strategies[] = {"left-join", "right-join", "inner-join", "full-join"};
    out["strategy"] = strategies[static_cast<int>(join.strategy)];
    if (join.condition) {
      if (!five_) out["condition"] = clause(*join.condition);
      else if (join.condition->is(Function::And)) out["conditions"] = list(join.condition->arguments);
      else out["conditions"] = json::array{clause(*join.condition)};
    }
    switch (join.fields) {
      case Join::Fields::None: out["fields"] = "none"; break;
      case Join::Fields::All: out["fields"] = "all"; break;
      case Join::Fields::Listed: out["fields"] = list(join.listed); break;
    }
    return out;
  }

  json::value named(const std::vector<NamedExpression>& expressions) {
    if (!five_) {
      json::object out;
      for (auto& each : expressions) out[each.name] = clause(each.expression);
      return out;
    }
    json::array out;
    for (auto& each : expressions) {
      json::value written = clause(each.expression);
      if (!written.is_array()) written = json::array{"value", json::object{{"lib/uuid", uuid()}}, written};
      written.get_array()[1].get_object()["lib/expression-name"] = each.name;
      out.push_back(std::move(written));
    }
    return out;
  }

  json::array orderings(const std::vector<Ordering>& all) {
    json::array out;
    for (auto& each : all) out.push_back(ordering(each.direction, each.by));
    return out;
  }
  json::array ordering(Direction direction, const Expression& by) {
    const char* word = direction == Direction::Ascending ? "asc" : "desc";
    if (five_) return {word, json::object{{"lib/uuid", uuid()}}, clause(by)};
    return {word, clause(by)};
  }

  json::array list(const std::vector<Expression>& all) {
    json::array out;
    for (auto& each : all) out.push_back(clause(each));
    return out;
  }

  // ---- clauses

  std::string uuid() {
    char text[40];
    std::snprintf(text, sizeof text, "00000000-0000-4000-8000-%012llx", static_cast<unsigned long long>(++made_));
    return text;
  }

  // The clause of this name with its arguments; options second or last, as the form has it.
  json::array made(std::string_view name, json::object options, json::array arguments, bool options_first = false, const std::string& own_uuid = {}) {
    json::array out{json::value(name)};
    if (five_) {
      json::object all{{"lib/uuid", own_uuid.empty() ? uuid() : own_uuid}};
      for (auto& entry : options) all[entry.key()] = entry.value();
      out.push_back(std::move(all));
    } else if (options_first) {
      out.push_back(std::move(options));
    }
    for (auto& argument : arguments) out.push_back(std::move(argument));
    if (!five_ && !options_first && !options.empty()) out.push_back(std::move(options));
    return out;
  }

  template <class Reference> static void bucketing(json::object& options, const Reference& reference) {
    if (reference.unit) options["temporal-unit"] = std::string(name_of(*reference.unit));
    if (auto& b = reference.binning) {
      json::object binning;
      switch (b->strategy) {
        case Binning::Strategy::Default: binning["strategy"] = "default"; break;
        case Binning::Strategy::NumBins: binning["strategy"] = "num-bins"; binning["num-bins"] = static_cast<std::int64_t>(b->number); break;
        case Binning::Strategy::BinWidth: binning["strategy"] = "bin-width"; binning["bin-width"] = b->number; break;
      }
      options["binning"] = std::move(binning);
    }
  }

  json::value field(const FieldReference& reference) {
    json::object options;
    if (!reference.base_type.empty()) options["base-type"] = reference.base_type;
    if (!reference.effective_type.empty()) options["effective-type"] = reference.effective_type;
    if (!reference.join_alias.empty()) options["join-alias"] = reference.join_alias;
    if (reference.source_field) options["source-field"] = reference.source_field->value;
    if (!reference.source_field_name.empty()) options["source-field-name"] = reference.source_field_name;
    if (!reference.source_field_join_alias.empty()) options["source-field-join-alias"] = reference.source_field_join_alias;
    bucketing(options, reference);
    auto* id = std::get_if<FieldId>(&reference.field);
    json::value which = id ? json::value(id->value) : json::value(std::get<std::string>(reference.field));
    if (five_) return made("field", std::move(options), {std::move(which)});
    return json::array{"field", std::move(which), options.empty() ? json::value(nullptr) : json::value(std::move(options))};
  }

  json::value clause(const Expression& e, const std::string& own_uuid = {}) {
    if (auto* literal = e.literal()) {
      if (literal->base_type.empty()) return literal->value;
      return made("value", {{five_ ? "base-type" : "base_type", literal->base_type}}, {literal->value});
    }
    if (auto* reference = std::get_if<FieldReference>(&e.node)) return field(*reference);
    if (auto* reference = std::get_if<ExpressionReference>(&e.node)) {
      json::object options;
      if (!reference->base_type.empty()) options["base-type"] = reference->base_type;
      bucketing(options, *reference);
      return made("expression", std::move(options), {json::value(reference->name)});
    }
    if (auto* reference = std::get_if<AggregationReference>(&e.node)) {
      if (!five_) return json::array{"aggregation", reference->index};
      if (reference->index >= uuids_.size()) invalid_query("There is no aggregation " + std::to_string(reference->index) + ".");
      return made("aggregation", {}, {json::value(uuids_[reference->index])});
    }
    auto* call = e.call();
    if (!call) throw Failure(FailureKind::Bug, "A resolved column cannot be written as a query.");
    return written(*call, e.arguments, own_uuid);
  }

  json::value written(const Call& call, const std::vector<Expression>& arguments, const std::string& own_uuid) {
    auto& function = info(call.function);
    json::object options;
    if (!call.case_sensitive) options["case-sensitive"] = false;
    json::object names;
    if (!call.name.empty()) names["name"] = call.name;
    if (!call.display_name.empty()) names["display-name"] = call.display_name;
    bool window = function.group == Group::Window, options_first = window;
    std::size_t own = arguments.size() - call.partitions - call.directions.size();
    json::array written_arguments;
    auto argument = [&](std::size_t i) { written_arguments.push_back(clause(arguments[i])); };
    auto unit = [&] { if (call.unit) written_arguments.push_back(json::value(name_of(*call.unit))); };
    switch (call.function) {
      case Function::Case: {
        json::array pairs;
        for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) pairs.push_back(json::array{clause(arguments[i]), clause(arguments[i + 1])});
        written_arguments.push_back(std::move(pairs));
        if (arguments.size() % 2) {
          if (five_) argument(arguments.size() - 1);
          else options["default"] = clause(arguments.back());
        }
        break;
      }
      case Function::TimeInterval:
        argument(0), argument(1), unit();
        if (call.include_current) options["include-current"] = true;
        break;
      case Function::RelativeTimeInterval:
        argument(0), argument(1), unit(), argument(2);
        written_arguments.push_back(json::value(call.mode));
        break;
      case Function::InPeriod:
        argument(0), argument(1), argument(2), unit();
        if (call.include_current) options["to-date"] = true;
        break;
      case Function::TemporalExtract:
        argument(0), unit();
        if (!call.mode.empty()) written_arguments.push_back(json::value(call.mode));
        break;
      case Function::ToDateTime:
        argument(0);
        if (!call.mode.empty()) options["mode"] = call.mode;
        break;
      case Function::Contains: case Function::DoesNotContain: case Function::StartsWith: case Function::EndsWith:
        for (std::size_t i = 0; i < own; ++i) argument(i);
        options_first = own > 2;
        break;
      case Function::Offset:
        argument(0), argument(1);
        options_first = true;
        break;
      default:
        for (std::size_t i = 0; i < own; ++i) argument(i);
        unit();
    }
    if (window) {
      if (call.partitions) {
        json::array by;
        for (std::size_t i = 0; i < call.partitions; ++i) by.push_back(clause(arguments[own + i]));
        options["partition-by"] = std::move(by);
      }
      json::array orders;
      for (std::size_t i = 0; i < call.directions.size(); ++i) orders.push_back(ordering(call.directions[i], arguments[own + call.partitions + i]));
      if (!orders.empty()) options["order-by"] = std::move(orders);
    }
    bool inline_names = five_ || options_first;
    if (inline_names)
      for (auto& entry : names) options[entry.key()] = entry.value();
    auto out = made(function.name, std::move(options), std::move(written_arguments), options_first, own_uuid);
    if (inline_names || names.empty()) return out;
    return json::array{"aggregation-options", std::move(out), std::move(names)};
  }

  const bool five_;
  std::vector<std::string> uuids_;
  std::uint64_t made_ = 0;
};

}  // namespace

json::object write_query(const Query& query, Form form) { return Writer(form).query(query); }

json::object convert_query(const json::value& given, Form form) {
  auto out = write_query(parse_query(given), form);
  for (auto& entry : given.get_object()) {
    std::string_view key = entry.key();
    if (key == "query" || key == "native" || key == "stages" || key == "type" || key == "lib/type" || key == "database" || out.contains(key)) continue;
    out[key] = entry.value();
  }
  return out;
}

}  // namespace basalt::query
