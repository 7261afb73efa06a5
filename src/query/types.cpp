#include "query/types.h"

namespace basalt::query {
namespace {

struct TypeRow { std::string_view name; TypeKind kind; };
using K = TypeKind;
constexpr TypeRow types[] = {
    {"Integer", K::Integer}, {"BigInteger", K::Integer}, {"Float", K::Float}, {"Decimal", K::Float}, {"Number", K::Float},
    {"Currency", K::Float}, {"Boolean", K::Boolean}, {"Text", K::Text}, {"TextLike", K::Text}, {"URL", K::Text}, {"Email", K::Text}, {"Date", K::Date}, {"Time", K::Time},
    {"TimeWithTZ", K::Time}, {"TimeWithLocalTZ", K::Time}, {"TimeWithZoneOffset", K::Time}, {"DateTime", K::DateTime},
    {"Temporal", K::DateTime}, {"DateTimeWithTZ", K::DateTimeZoned}, {"DateTimeWithLocalTZ", K::DateTimeZoned},
    {"DateTimeWithZoneOffset", K::DateTimeZoned}, {"DateTimeWithZoneID", K::DateTimeZoned}, {"Instant", K::DateTimeZoned},
    {"UUID", K::Uuid}, {"JSON", K::Other}, {"SerializedJSON", K::Other}, {"Structured", K::Other}, {"Array", K::Other},
    {"Dictionary", K::Other}, {"Collection", K::Other}, {"IPAddress", K::Other}, {"PostgresEnum", K::Other},
    {"MySQLEnum", K::Other}, {"PostgresBitString", K::Other}, {"Interval", K::Other},
};

}  // namespace

TypeKind type_kind(std::string_view base_type) {
  if (!base_type.starts_with("type/")) return K::Unknown;
  base_type.remove_prefix(5);
  for (auto& row : types)
    if (row.name == base_type) return row.kind;
  return K::Unknown;
}

std::string_view type_of(const Expression& e) {
  if (auto* column = std::get_if<Column>(&e.node)) return column->base_type;
  if (auto* literal = e.literal()) {
    if (!literal->base_type.empty()) return literal->base_type;
    switch (literal->value.kind()) {
      case json::kind::bool_: return "type/Boolean";
      case json::kind::int64: case json::kind::uint64: return "type/Integer";
      case json::kind::double_: return "type/Float";
      case json::kind::string: return "type/Text";
      default: return "type/*";
    }
  }
  if (auto* field = std::get_if<FieldReference>(&e.node)) return field->base_type;
  auto* call = e.call();
  if (!call) return "type/*";
  auto argument = [&](std::size_t i) { return i < e.arguments.size() ? type_of(e.arguments[i]) : std::string_view("type/*"); };
  switch (call->function) {
    case Function::Coerce: return call->gives;
    case Function::Case:
      for (std::size_t i = 1; i < e.arguments.size(); i += 2)
        if (auto type = argument(i); type != "type/*") return type;
      return e.arguments.size() % 2 ? argument(e.arguments.size() - 1) : "type/*";
    case Function::Coalesce:
      for (std::size_t i = 0; i < e.arguments.size(); ++i)
        if (auto type = argument(i); type != "type/*") return type;
      return "type/*";
    case Function::Add:
    case Function::Subtract:
    case Function::Multiply: {
      auto first = argument(0);
      if (is_temporal(type_kind(first))) return call->function == Function::Subtract && e.arguments.size() == 2 && is_temporal(type_kind(argument(1))) ? "type/Interval" : first;
      for (std::size_t i = 0; i < e.arguments.size(); ++i)
        if (type_kind(argument(i)) == TypeKind::Float) return "type/Float";
      return first;
    }
    case Function::DateTimeAdd:
    case Function::DateTimeSubtract:
      // Hours added to a date make a date and time.
      if (type_kind(argument(0)) == TypeKind::Date && call->unit && *call->unit < TemporalUnit::Day) return "type/DateTime";
      return argument(0);
    case Function::ConvertTimezone: return "type/DateTime";
    default: break;
  }
  switch (info(call->function).gives) {
    case Gives::Boolean: return "type/Boolean";
    case Gives::Integer: return "type/Integer";
    case Gives::BigInteger: return "type/BigInteger";
    case Gives::Float: return "type/Float";
    case Gives::Text: return "type/Text";
    case Gives::Argument: return argument(0);
    case Gives::DateTime: return "type/DateTime";
    case Gives::Date: return "type/Date";
    case Gives::Time: return "type/Time";
    case Gives::Interval: return "type/Interval";
  }
  return "type/*";
}

namespace {

bool same_binning(const std::optional<Binning>& a, const std::optional<Binning>& b) {
  return a.has_value() == b.has_value() && (!a || (a->strategy == b->strategy && a->number == b->number));
}

bool same_tree(const Expression& a, const Expression& b, bool resolved) {
  if (a.node.index() != b.node.index() || a.arguments.size() != b.arguments.size()) return false;
  if (auto* column = std::get_if<Column>(&a.node)) {
    auto& other = std::get<Column>(b.node);
    return column->source == other.source && column->name == other.name && column->table == other.table && column->schema == other.schema;
  }
  if (auto* literal = a.literal()) {
    auto& other = *b.literal();
    return literal->value.kind() == other.value.kind() && literal->value == other.value && literal->base_type == other.base_type;
  }
  if (!resolved) {
    if (auto* field = std::get_if<FieldReference>(&a.node)) {
      auto& other = std::get<FieldReference>(b.node);
      return field->field == other.field && field->join_alias == other.join_alias && field->source_field == other.source_field && field->source_field_name == other.source_field_name &&
             field->source_field_join_alias == other.source_field_join_alias && field->unit == other.unit && same_binning(field->binning, other.binning);
    }
    if (auto* named = std::get_if<ExpressionReference>(&a.node)) {
      auto& other = std::get<ExpressionReference>(b.node);
      return named->name == other.name && named->unit == other.unit && same_binning(named->binning, other.binning);
    }
    if (auto* aggregation = std::get_if<AggregationReference>(&a.node)) return aggregation->index == std::get<AggregationReference>(b.node).index;
  }
  auto* call = a.call();
  if (!call) return false;
  auto& other = *b.call();
  if (call->function != other.function || call->unit != other.unit || call->case_sensitive != other.case_sensitive || call->include_current != other.include_current ||
      call->mode != other.mode || call->low != other.low || call->width != other.width || call->partitions != other.partitions || call->directions != other.directions)
    return false;
  for (std::size_t i = 0; i < a.arguments.size(); ++i)
    if (!same_tree(a.arguments[i], b.arguments[i], resolved)) return false;
  return true;
}

}  // namespace

bool equal(const Expression& a, const Expression& b) { return same_tree(a, b, true); }
bool same(const Expression& a, const Expression& b) { return same_tree(a, b, false); }

std::string_view in_words(TypeKind kind) {
  switch (kind) {
    case K::Integer: case K::Float: return "a number";
    case K::Boolean: return "true or false";
    case K::Text: return "text";
    case K::Date: return "a date";
    case K::Time: return "a time of day";
    case K::DateTime: case K::DateTimeZoned: return "a date and time";
    case K::Uuid: return "a UUID";
    case K::Unknown: case K::Other: return "of a kind of its own";
  }
  return "";
}

}  // namespace basalt::query
