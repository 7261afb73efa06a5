// Names, titles and types of result columns.
#include <cmath>
#include <cstdio>

#include "query/passes/passes.h"
#include "query/resolver.h"

namespace basalt::query {
namespace {

std::string plain_number(double v) {
  std::string text;
  json::write_number(text, v);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

std::string literal_title(const json::value& v) {
  if (v.is_string()) return "\"" + std::string(v.get_string()) + "\"";
  return json::write(v);
}

std::string bins_title(const Binning& binning, const std::optional<std::string>& semantic_type) {
  if (binning.strategy == Binning::Strategy::Default) return "Auto binned";
  if (binning.strategy == Binning::Strategy::NumBins) return plain_number(binning.number) + (binning.number == 1 ? " bin" : " bins");
  bool coordinate = semantic_type && (*semantic_type == "type/Latitude" || *semantic_type == "type/Longitude" || *semantic_type == "type/Coordinate");
  return plain_number(binning.number) + (coordinate ? "°" : "");
}

std::string capitalised(std::string_view name) {
  std::string out(name);
  for (auto& c : out)
    if (c == '-') c = ' ';
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 32);
  return out;
}

// Column name of an aggregation, before it is made unique.
std::string aggregation_name(const Call& call) {
  if (!call.name.empty()) return call.name;
  switch (call.function) {
    case Function::Count: case Function::CumulativeCount: case Function::Distinct: return "count";
    case Function::Sum: case Function::CumulativeSum: return "sum";
    case Function::Average: return "avg";
    case Function::Min: return "min";
    case Function::Max: return "max";
    case Function::StandardDeviation: return "stddev";
    case Function::Variance: return "var";
    case Function::Median: return "median";
    case Function::Percentile: return "percentile";
    case Function::CountWhere: return "count_where";
    case Function::SumWhere: return "sum_where";
    case Function::DistinctWhere: return "distinct_where";
    case Function::Share: return "share";
    case Function::Offset: return "offset";
    case Function::InPeriod: return "period";
    default: return "expression";
  }
}

}  // namespace

std::string column_name(const Call& aggregation) { return aggregation_name(aggregation); }

namespace {

std::optional<std::string> aggregation_semantics(Function function, const std::optional<std::string>& argument) {
  switch (function) {
    case Function::Count: case Function::CumulativeCount: case Function::CountWhere: case Function::Distinct: case Function::DistinctWhere: return "type/Quantity";
    case Function::Share: return "type/Percentage";
    case Function::Sum: case Function::Average: case Function::Min: case Function::Max: case Function::Median: case Function::StandardDeviation:
    case Function::CumulativeSum: case Function::SumWhere: case Function::Offset:
      // A sum of keys is no key.
      if (argument && (*argument == "type/PK" || *argument == "type/FK")) return std::nullopt;
      return argument;
    default: return std::nullopt;
  }
}

json::value options_of(const FieldReference& reference, const std::string& base_type) {
  json::object options;
  if (std::holds_alternative<std::string>(reference.field)) options["base-type"] = base_type;
  if (!reference.join_alias.empty()) options["join-alias"] = reference.join_alias;
  if (reference.source_field) options["source-field"] = reference.source_field->value;
  if (!reference.source_field_name.empty()) options["source-field-name"] = reference.source_field_name;
  if (!reference.source_field_join_alias.empty()) options["source-field-join-alias"] = reference.source_field_join_alias;
  if (reference.unit) options["temporal-unit"] = std::string(name_of(*reference.unit));
  if (reference.binning) {
    json::object binning;
    switch (reference.binning->strategy) {
      case Binning::Strategy::Default: binning["strategy"] = "default"; break;
      case Binning::Strategy::NumBins: binning["strategy"] = "num-bins"; binning["num-bins"] = static_cast<std::int64_t>(reference.binning->number); break;
      case Binning::Strategy::BinWidth: binning["strategy"] = "bin-width"; binning["bin-width"] = reference.binning->number; break;
    }
    options["binning"] = std::move(binning);
  }
  if (options.empty()) return nullptr;
  return options;
}

}  // namespace

ResultColumn Resolver::describe_found(Scope& scope, const FieldReference& reference, const Found& found, const Expression& resolved) {
  ResultColumn c;
  auto ref = reference;
  if (found.field) {
    auto& f = *found.field;
    c.name = f.name;
    c.display_name = f.display_name;
    c.base_type = f.base_type;
    c.effective_type = f.effective_type;
    c.database_type = f.database_type;
    c.semantic_type = f.semantic_type;
    c.description = f.description;
    c.coercion_strategy = f.coercion_strategy;
    c.id = f.id;
    c.fk_target = f.fk_target;
    c.table = f.table;
    c.visibility_type = f.visibility_type;
    c.position = f.position;
    c.settings = f.settings;
    c.fingerprint = f.fingerprint;
  } else if (found.inner) {
    c = *found.inner;
    c.source = "fields";
    c.aggregation_index.reset();
    c.expression_name.clear();
    c.labels_of.reset();
    c.labels.clear();
    c.remapped_from.clear();
    c.remapped_to.clear();
    if (c.id) ref.field = *c.id;
    if (ref.join_alias.empty()) ref.join_alias = c.join_alias;
    if (c.fk_field) ref.source_field = c.fk_field;
  } else {
    c.name = c.display_name = found.column.name;
    c.base_type = c.effective_type = found.column.base_type;
  }
  if (found.join) {
    if (found.join->fk) {
      c.fk_field = *found.join->fk == FieldId(0) ? std::nullopt : found.join->fk;
      c.join_alias = found.join->alias;
      c.display_name = found.join->title + " → " + c.display_name;
      ref.join_alias.clear();
      if (!ref.source_field && ref.source_field_name.empty()) ref.source_field = c.fk_field;
    } else {
      c.join_alias = found.join->alias;
      c.display_name = found.join->alias + " → " + c.display_name;
      ref.join_alias = found.join->alias;
    }
  }
  if (reference.unit && *reference.unit != TemporalUnit::Default) {
    if (found.inner && found.inner->unit && found.inner->unit != reference.unit) {
      // A coarser bucket takes the place of the earlier stage's.
      auto earlier = ": " + std::string(title_of(*found.inner->unit));
      if (c.display_name.ends_with(earlier)) c.display_name.resize(c.display_name.size() - earlier.size());
    }
    if (!(found.inner && found.inner->unit == reference.unit)) c.display_name += ": " + std::string(title_of(*reference.unit));
    c.unit = reference.unit;
    if (is_extracting(*reference.unit)) c.effective_type = "type/Integer";
  }
  if (reference.binning) {
    c.display_name += ": " + bins_title(*reference.binning, c.semantic_type);
    auto& fingerprint = found.field ? found.field->fingerprint : c.fingerprint;
    c.binning = bins(scope, *reference.binning, fingerprint, c.semantic_type, &reference);
  }
  if (auto* name = std::get_if<std::string>(&ref.field)) {
    if (c.id) ref.field = *c.id;
    else *name = c.name;
  }
  if (auto* id = std::get_if<FieldId>(&ref.field)) c.field_ref = json::array{"field", id->value, options_of(ref, c.base_type)};
  else c.field_ref = json::array{"field", std::get<std::string>(ref.field), options_of(ref, c.base_type)};
  (void)resolved;
  return c;
}

ResultColumn Resolver::describe(Scope& scope, const Expression& original, const Expression& resolved) {
  if (auto* field = std::get_if<FieldReference>(&original.node)) return describe_found(scope, *field, find(scope, *field), resolved);
  ResultColumn c;
  c.base_type = c.effective_type = std::string(type_of(resolved));
  if (auto* reference = std::get_if<ExpressionReference>(&original.node)) {
    if (auto* named = expression_called(scope, reference->name)) {
      c.name = c.display_name = c.expression_name = reference->name;
      json::array ref{"expression", reference->name};
      json::object options;
      if (reference->unit && *reference->unit != TemporalUnit::Default) {
        c.unit = reference->unit;
        c.display_name += ": " + std::string(title_of(*reference->unit));
        options["temporal-unit"] = std::string(name_of(*reference->unit));
      }
      if (!options.empty()) ref.push_back(std::move(options));
      c.field_ref = std::move(ref);
      if (std::holds_alternative<FieldReference>(named->expression.node)) c.semantic_type = describe(scope, named->expression, resolved).semantic_type;
      if (c.semantic_type == "type/PK" || c.semantic_type == "type/FK") c.semantic_type.reset();
      if (resolved.is(Function::ConvertTimezone)) c.converted_timezone = std::string(resolved.arguments[1].literal()->value.get_string());
      return c;
    }
    FieldReference column{reference->name};
    column.unit = reference->unit;
    column.binning = reference->binning;
    column.base_type = reference->base_type;
    return describe_found(scope, column, find(scope, column), resolved);
  }
  if (auto* reference = std::get_if<AggregationReference>(&original.node)) {
    c.name = "expression";
    c.display_name = title(scope, original);
    c.field_ref = json::array{"aggregation", reference->index};
    return c;
  }
  c.name = "expression";
  c.display_name = title(scope, original);
  if (auto* call = original.call()) {
    c.name = aggregation_name(*call);
    if (call->function == Function::InPeriod) {
      auto inner = describe(scope, original.arguments[0], resolved);
      if (call->name.empty()) c.name = inner.name;
      c.semantic_type = inner.semantic_type;
      return c;
    }
    std::optional<std::string> argument;
    if (!original.arguments.empty() && std::holds_alternative<FieldReference>(original.arguments[0].node)) argument = describe(scope, original.arguments[0], resolved).semantic_type;
    c.semantic_type = aggregation_semantics(call->function, argument);
  }
  return c;
}

std::string Resolver::title(Scope& scope, const Expression& original, bool nested) {
  if (auto* literal = original.literal()) return literal_title(literal->value);
  if (std::holds_alternative<FieldReference>(original.node)) return describe(scope, original, original).display_name;
  if (auto* reference = std::get_if<ExpressionReference>(&original.node)) return reference->name;
  if (auto* reference = std::get_if<AggregationReference>(&original.node))
    return reference->index < scope.stage.aggregations.size() ? title(scope, scope.stage.aggregations[reference->index]) : "Aggregation";
  auto* call = original.call();
  if (!call) return "Expression";
  if (!call->display_name.empty()) return call->display_name;
  auto argument = [&](std::size_t i) { return i < original.arguments.size() ? title(scope, original.arguments[i]) : std::string(); };
  auto infix = [&](const char* sign) {
    std::string text;
    if (original.arguments.size() == 1) text = std::string(sign).substr(1) + title(scope, original.arguments[0], true);
    for (std::size_t i = 0; i < original.arguments.size() && original.arguments.size() > 1; ++i) {
      if (i) text += sign;
      text += title(scope, original.arguments[i], true);
      if (text.size() > 500) break;
    }
    return nested ? "(" + text + ")" : text;
  };
  switch (call->function) {
    case Function::Count: return original.arguments.empty() ? "Count" : "Count of " + argument(0);
    case Function::CumulativeCount: return original.arguments.empty() ? "Cumulative count" : "Cumulative count of " + argument(0);
    case Function::Distinct: return "Distinct values of " + argument(0);
    case Function::Sum: return "Sum of " + argument(0);
    case Function::CumulativeSum: return "Cumulative sum of " + argument(0);
    case Function::Average: return "Average of " + argument(0);
    case Function::Min: return "Min of " + argument(0);
    case Function::Max: return "Max of " + argument(0);
    case Function::StandardDeviation: return "Standard deviation of " + argument(0);
    case Function::Variance: return "Variance of " + argument(0);
    case Function::Median: return "Median of " + argument(0);
    case Function::Percentile: return argument(1) + "th percentile of " + argument(0);
    case Function::CountWhere: return "Count of rows matching condition";
    case Function::Share: return "Share of rows matching condition";
    case Function::SumWhere: return "Sum of " + argument(0) + " matching condition";
    case Function::DistinctWhere: return "Distinct values of " + argument(0) + " matching condition";
    case Function::Offset: return "Offset of " + argument(0);
    case Function::InPeriod: {
      auto n = original.arguments[2].literal() ? json::as_integer(original.arguments[2].literal()->value).value_or(0) : 0;
      std::string unit(name_of(call->unit.value_or(TemporalUnit::Day)));
      std::string period = n == 0 ? "this " + unit : n == -1 ? "previous " + unit : n == 1 ? "next " + unit : std::to_string(n < 0 ? -n : n) + " " + unit + (n < 0 ? "s ago" : "s ahead");
      return argument(0) + ": " + period + (call->include_current ? " to date" : "");
    }
    case Function::Add: return infix(" + ");
    case Function::Subtract: return infix(" - ");
    case Function::Multiply: return infix(" × ");
    case Function::Divide: return infix(" ÷ ");
    case Function::Coalesce: if (original.arguments.size() == 1) return argument(0); break;
    default: break;
  }
  std::string text = capitalised(info(call->function).name) + "(";
  for (std::size_t i = 0; i < original.arguments.size() && text.size() < 200; ++i) {
    if (i) text += ", ";
    text += argument(i);
  }
  return text + ")";
}

}  // namespace basalt::query
