// References to columns: which table, join or earlier stage they mean, implicit joins, buckets and bins.
#include <algorithm>
#include <cmath>
#include <set>

#include "query/resolver.h"

namespace basalt::query {
namespace {

std::string lower(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return text;
}
bool same_word(const std::string& a, const std::string& b) { return a.size() == b.size() && lower(a) == lower(b); }

std::string shown(const FieldReference& reference) {
  if (auto* id = std::get_if<FieldId>(&reference.field)) return "Field " + std::to_string(id->value);
  return "`" + std::get<std::string>(reference.field) + "`";
}

}  // namespace

std::string sql_identifier(const std::string& name) {
  constexpr std::size_t longest = 60;
  if (name.size() <= longest) return name;
  std::uint32_t crc = 0xFFFFFFFFu;
  for (unsigned char c : name) {
    crc ^= c;
    for (int i = 0; i < 8; ++i) crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
  }
  char hash[16];
  std::snprintf(hash, sizeof hash, "%08x", crc ^ 0xFFFFFFFFu);
  std::size_t cut = 51;
  while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xC0) == 0x80) --cut;  // not inside a UTF-8 character
  return name.substr(0, cut) + "_" + hash;
}

std::string without_id(std::string title) {
  if (title.size() > 3 && same_word(title.substr(title.size() - 3), " id")) title.resize(title.size() - 3);
  return title;
}

std::string clause_place(const std::string& stage, const char* clause, std::size_t index) {
  return stage + "." + clause + "[" + std::to_string(index) + "]";
}

std::optional<Found> Resolver::look_up(const Relation& relation, const std::string& sql_alias, const FieldReference& reference, const JoinScope* join) {
  auto* id = std::get_if<FieldId>(&reference.field);
  auto* name = std::get_if<std::string>(&reference.field);
  if (relation.table) {
    const Field* found = nullptr;
    if (id) {
      found = catalog_.field(*id);
      if (found && found->table != relation.table->id) found = nullptr;
    } else {
      auto fields = catalog_.fields_of(relation.table->id);
      for (auto* field : fields)
        if (field->name == *name) found = field;
      for (auto* field : fields)
        if (!found && same_word(field->name, *name)) found = field;
    }
    if (!found) return std::nullopt;
    if (found->visibility_type == "sensitive") invalid_query("`" + found->display_name + "` is marked as sensitive and cannot be queried.");
    Column column{sql_alias, found->name, found->base_type};
    column.required = found->semantic_type == "type/PK";
    return Found{std::move(column), found, nullptr, join};
  }
  auto give = [&](std::size_t i) {
    auto& column = relation.columns[i];
    return Found{Column{sql_alias, relation.sql_names[i], column.effective_type}, nullptr, &column, join};
  };
  if (id) {
    std::optional<std::size_t> any;
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
      auto& column = relation.columns[i];
      if (column.id != *id) continue;
      bool same_join = column.join_alias == reference.join_alias || (join && column.join_alias.empty());
      bool same_key = !reference.source_field || column.fk_field == reference.source_field;
      if (same_join && same_key && column.unit == reference.unit) return give(i);
      if (!any || (same_join && same_key)) any = i;
    }
    if (any) return give(*any);
    // The field of another table, but a column of that name: a card may have been rewritten on another table.
    if (auto* field = catalog_.field(*id))
      for (std::size_t i = 0; i < relation.columns.size(); ++i)
        if (relation.columns[i].name == field->name && !relation.columns[i].id) return give(i);
  } else {
    for (std::size_t i = 0; i < relation.columns.size(); ++i)
      if (relation.columns[i].name == *name) return give(i);
    for (std::size_t i = 0; i < relation.columns.size(); ++i)
      if (same_word(relation.columns[i].name, *name)) return give(i);
  }
  if (relation.known) return std::nullopt;
  std::string type = !reference.effective_type.empty() ? reference.effective_type : !reference.base_type.empty() ? reference.base_type : "type/*";
  if (name) return Found{Column{sql_alias, *name, type}, nullptr, nullptr, join};
  if (auto* field = catalog_.field(*id)) return Found{Column{sql_alias, field->name, field->effective_type}, nullptr, nullptr, join};
  return std::nullopt;
}

Found Resolver::find(Scope& scope, const FieldReference& reference) {
  if (reference.source_field || !reference.source_field_name.empty()) {
    // An earlier stage may have followed the key already.
    if (!scope.main.table && reference.source_field) {
      auto* id = std::get_if<FieldId>(&reference.field);
      for (std::size_t i = 0; id && i < scope.main.columns.size(); ++i) {
        auto& column = scope.main.columns[i];
        if (column.id == *id && column.fk_field == reference.source_field) return Found{Column{"", scope.main.sql_names[i], column.effective_type}, nullptr, &column, nullptr};
      }
    }
    return implicit_join(scope, reference);
  }
  if (!reference.join_alias.empty()) {
    const JoinScope* join = nullptr;
    for (auto& candidate : scope.joins)
      if (candidate.alias == reference.join_alias) join = &candidate;
    for (auto& candidate : scope.joins)
      if (!join && same_word(candidate.alias, reference.join_alias)) join = &candidate;
    if (join) {
      if (auto found = look_up(join->relation, join->sql_alias, reference, join)) return *found;
      invalid_query(shown(reference) + " is not a column of the join \"" + join->alias + "\".");
    }
    // Joined in an earlier stage.
    if (auto found = look_up(scope.main, "", reference, nullptr)) return *found;
    invalid_query("There is no join called \"" + reference.join_alias + "\" here.");
  }
  if (auto found = look_up(scope.main, "", reference, nullptr)) return *found;
  // No alias given: forgiven when exactly one join offers it.
  std::optional<Found> only;
  int offers = 0;
  for (auto& join : scope.joins)
    if (!join.fk)
      if (auto found = look_up(join.relation, join.sql_alias, reference, &join)) { only = found; ++offers; }
  if (offers == 1) return *only;
  if (auto* id = std::get_if<FieldId>(&reference.field)) {
    auto* field = catalog_.field(*id);
    if (!field) throw Failure(FailureKind::NotFound, shown(reference) + " does not exist.").with_error_type("invalid-query");
    // By name: the column of an earlier stage that came from this field under another id.
    for (std::size_t i = 0; i < scope.main.columns.size(); ++i)
      if (same_word(scope.main.columns[i].name, field->name)) return Found{Column{"", scope.main.sql_names[i], scope.main.columns[i].effective_type}, nullptr, &scope.main.columns[i], nullptr};
    auto* table = catalog_.table(field->table);
    invalid_query("`" + field->display_name + "`" + (table ? " of " + table->display_name : "") + " is not among the columns of this query's source.");
  }
  invalid_query("There is no column called " + shown(reference) + " here.");
}

std::string Resolver::unique_alias(const Scope& scope, std::string alias) const {
  std::set<std::string> taken;
  for (auto& join : scope.joins) taken.insert(lower(join.sql_alias));
  std::string base = sql_identifier(alias), result = base;
  for (int n = 2; taken.contains(lower(result)); ++n) result = sql_identifier(base + "_" + std::to_string(n));
  return result;
}

Found Resolver::implicit_join(Scope& scope, const FieldReference& reference) {
  FieldReference key;
  if (reference.source_field) key.field = *reference.source_field;
  else key.field = reference.source_field_name;
  key.join_alias = reference.source_field_join_alias;
  auto key_found = find(scope, key);
  std::optional<FieldId> fk_id = reference.source_field;
  if (!fk_id && key_found.field) fk_id = key_found.field->id;
  if (!fk_id && key_found.inner) fk_id = key_found.inner->id;
  const Field* fk = fk_id ? catalog_.field(*fk_id) : nullptr;
  const Field* pointed = fk && fk->fk_target ? catalog_.field(*fk->fk_target) : nullptr;
  const Field* wanted = nullptr;
  if (auto* id = std::get_if<FieldId>(&reference.field)) {
    wanted = catalog_.field(*id);
    if (!wanted) throw Failure(FailureKind::NotFound, shown(reference) + " does not exist.").with_error_type("invalid-query");
  } else if (pointed) {
    for (auto* field : catalog_.fields_of(pointed->table))
      if (field->name == std::get<std::string>(reference.field)) wanted = field;
  }
  if (!wanted) invalid_query(shown(reference) + " cannot be found through its foreign key.");
  auto* table = catalog_.table(wanted->table);
  if (!table || table->database != database_) invalid_query("A foreign key leads to a table of another database.");
  const Field* target = pointed && pointed->table == table->id ? pointed : catalog_.primary_key(table->id);
  if (!target) invalid_query(table->display_name + " has no primary key to join by.");

  std::string key_name = fk ? fk->name : key_found.column.name;
  for (auto& join : scope.joins)
    if (join.fk == fk_id && join.fk_name == key_name && join.fk_join_alias == key.join_alias && join.relation.table && join.relation.table->id == table->id && join.fk)
      if (auto found = look_up(join.relation, join.sql_alias, {wanted->id}, &join)) return *found;

  JoinScope join;
  join.alias = table->name + "__via__" + key_name + (key.join_alias.empty() ? "" : "__via__" + key.join_alias);
  join.sql_alias = unique_alias(scope, join.alias);
  join.relation.source = TableName{table->schema, table->name};
  join.relation.table = table;
  join.fk = fk_id ? *fk_id : FieldId(0);
  join.fk_name = key_name;
  join.fk_join_alias = key.join_alias;
  join.title = without_id(fk ? fk->display_name : key_found.inner ? key_found.inner->display_name : key_name);
  ResolvedJoin resolved;
  resolved.source = join.relation.source;
  resolved.alias = join.sql_alias;
  resolved.condition = Expression{Call{Function::Equal}, {Expression{key_found.column}, Expression{Column{join.sql_alias, target->name, target->base_type}}}};
  scope.resolved_joins.push_back(std::move(resolved));
  scope.joins.push_back(std::move(join));
  auto& added = scope.joins.back();
  if (auto found = look_up(added.relation, added.sql_alias, {wanted->id}, &added)) return *found;
  invalid_query(shown(reference) + " cannot be found through its foreign key.");
}

Expression Resolver::bucket(Expression e, TemporalUnit unit, const std::string& name, const std::string& mode) {
  if (unit == TemporalUnit::Default) return e;
  auto kind = kind_of(e);
  std::string unit_title(title_of(unit));
  if (!is_temporal(kind)) {
    // A column that an earlier stage has extracted already ("Month of year") keeps its number.
    if (kind == TypeKind::Unknown || kind == TypeKind::Other) {}
    else invalid_query(unit_title + " needs a date; `" + name + "` is " + std::string(in_words(kind)) + ".");
  }
  bool within_day = unit < TemporalUnit::Day || unit == TemporalUnit::SecondOfMinute || unit == TemporalUnit::MinuteOfHour || unit == TemporalUnit::HourOfDay;
  if (is_extracting(unit)) {
    if (kind == TypeKind::Time && !within_day) invalid_query(unit_title + " needs a date; `" + name + "` is a time of day.");
    Call call{Function::Extract};
    call.unit = unit;
    call.mode = mode;
    if (unit == TemporalUnit::DayOfWeek && mode == "iso") call.unit = TemporalUnit::DayOfWeekIso;
    return {std::move(call), {std::move(e)}};
  }
  // Days have no hours to cut off, times of day no months.
  if (kind == TypeKind::Date && (within_day || unit == TemporalUnit::Day)) return e;
  if (kind == TypeKind::Time && !within_day) return e;
  Call call{Function::Truncate};
  call.unit = unit;
  return {std::move(call), {std::move(e)}};
}

namespace {

struct Bounds { double low, high; };

std::optional<Bounds> fingerprint_bounds(const json::value& fingerprint) {
  auto* type = json::find(fingerprint, "type");
  auto* number = type ? json::find(*type, "type/Number") : nullptr;
  if (!number) return std::nullopt;
  auto low = json::number(*number, "min"), high = json::number(*number, "max");
  if (!low || !high || !std::isfinite(*low) || !std::isfinite(*high) || *low > *high) return std::nullopt;
  return Bounds{*low, *high};
}

// Filters on the same column narrow the bins.
void narrow(Bounds& bounds, const Expression& filter, const FieldReference& column) {
  auto* call = filter.call();
  if (!call) return;
  if (call->function == Function::And) {
    for (auto& part : filter.arguments) narrow(bounds, part, column);
    return;
  }
  auto* field = filter.arguments.empty() ? nullptr : std::get_if<FieldReference>(&filter.arguments[0].node);
  if (!field || field->field != column.field || field->join_alias != column.join_alias || field->source_field != column.source_field) return;
  auto number = [&](std::size_t i) -> std::optional<double> {
    auto* literal = i < filter.arguments.size() ? filter.arguments[i].literal() : nullptr;
    return literal && literal->value.is_number() ? std::optional(literal->value.to_number<double>()) : std::nullopt;
  };
  auto raise = [&](std::optional<double> v) { if (v && *v > bounds.low) bounds.low = *v; };
  auto cap = [&](std::optional<double> v) { if (v && *v < bounds.high) bounds.high = *v; };
  switch (call->function) {
    case Function::Greater: case Function::GreaterEqual: raise(number(1)); break;
    case Function::Less: case Function::LessEqual: cap(number(1)); break;
    case Function::Between: raise(number(1)); cap(number(2)); break;
    case Function::Equal: if (filter.arguments.size() == 2) { raise(number(1)); cap(number(1)); } break;
    default: break;
  }
}

double nice_width(double low, double high, double bins) {
  double raw = std::round((high - low) / bins * 1e5) / 1e5;
  if (!(raw > 0)) return 1;
  double scale = std::pow(10, std::floor(std::log10(raw)));
  for (double step : {1.0, 1.25, 2.0, 2.5, 3.0, 5.0, 7.5, 10.0})
    if (step * scale >= raw) return step * scale;
  return 10 * scale;
}

bool is_coordinate(const std::optional<std::string>& semantic_type) {
  return semantic_type && (*semantic_type == "type/Latitude" || *semantic_type == "type/Longitude" || *semantic_type == "type/Coordinate");
}

}  // namespace

std::optional<BinningInfo> Resolver::bins(Scope& scope, const Binning& binning, const json::value& fingerprint, const std::optional<std::string>& semantic_type,
                                          const FieldReference* reference) {
  auto bounds = fingerprint_bounds(fingerprint);
  if (!bounds) return std::nullopt;
  if (reference && scope.stage.filter) narrow(*bounds, *scope.stage.filter, *reference);
  if (bounds->high < bounds->low) bounds->high = bounds->low;
  auto strategy = binning.strategy;
  double number = binning.number;
  if (strategy == Binning::Strategy::Default) {
    bool width = is_coordinate(semantic_type);
    strategy = width ? Binning::Strategy::BinWidth : Binning::Strategy::NumBins;
    number = width ? options_.breakout_bin_width : static_cast<double>(options_.breakout_bins);
    if (!(number > 0)) number = width ? 10 : 8;
  }
  BinningInfo info;
  double low = bounds->low, high = bounds->high;
  if (strategy == Binning::Strategy::BinWidth) {
    info.width = number;
    info.low = std::floor(low / number) * number;
    info.high = std::ceil(high / number) * number;
    info.bins = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::min(std::ceil((info.high - info.low) / number), 1e15)));
    info.strategy = "bin-width";
    return info;
  }
  for (int round = 0; round < 10; ++round) {
    double width = nice_width(low, high, number);
    double next_low = std::floor(low / width) * width, next_high = std::ceil(high / width) * width;
    bool stable = info.width == width && next_low == low && next_high == high;
    info.width = width;
    low = next_low;
    high = next_high;
    if (stable) break;
  }
  info.low = low;
  info.high = high;
  info.bins = static_cast<std::int64_t>(number);
  info.strategy = "num-bins";
  return info;
}

Expression Resolver::bin(Scope& scope, Expression e, const Binning& binning, const json::value& fingerprint, const std::optional<std::string>& semantic_type,
                         const FieldReference* reference, const std::string& name) {
  auto kind = kind_of(e);
  if (!is_numeric(kind) && kind != TypeKind::Unknown) invalid_query("Bins need a number; `" + name + "` is " + std::string(in_words(kind)) + ".");
  auto info = bins(scope, binning, fingerprint, semantic_type, reference);
  if (!info) invalid_query("Unable to bin Field without a min/max value: the smallest and largest value of `" + name + "` are not known yet; sync the database once.");
  Call call{Function::Bin};
  call.low = info->low;
  call.width = info->width;
  return {std::move(call), {std::move(e)}};
}

Expression Resolver::field_value(Scope& scope, const FieldReference& reference, const Found& found) {
  Expression e{found.column};
  const std::string& name = found.field ? found.field->display_name : found.inner ? found.inner->display_name : found.column.name;
  if (found.field && found.field->coercion_strategy) {
    Call coerce{Function::Coerce};
    coerce.mode = *found.field->coercion_strategy;
    coerce.gives = found.field->effective_type;
    e = {std::move(coerce), {std::move(e)}};
  }
  if (reference.unit) {
    // The earlier stage gave this very bucket, as a number: nothing is left to do.
    bool done = found.inner && found.inner->unit == reference.unit && is_extracting(*reference.unit);
    if (!done) e = bucket(std::move(e), *reference.unit, name);
  }
  if (reference.binning) {
    const json::value nothing = nullptr;
    auto& fingerprint = found.field ? found.field->fingerprint : found.inner ? found.inner->fingerprint : nothing;
    e = bin(scope, std::move(e), *reference.binning, fingerprint, found.field ? found.field->semantic_type : found.inner ? found.inner->semantic_type : std::nullopt, &reference, name);
  }
  return e;
}

Expression Resolver::qualified_field(const FieldReference& reference, const std::string& alias) {
  auto* id = std::get_if<FieldId>(&reference.field);
  auto* field = id ? catalog_.field(*id) : nullptr;
  if (!field) throw Failure(FailureKind::NotFound, shown(reference) + " of a field filter does not exist.").with_error_type("invalid-query");
  auto* table = catalog_.table(field->table);
  if (!table || table->database != database_) invalid_query("The field filter on `" + field->display_name + "` names a table of another database.");
  if (field->visibility_type == "sensitive") invalid_query("`" + field->display_name + "` is marked as sensitive and cannot be queried.");
  Column column{"", field->name, field->base_type, table->schema, table->name};
  if (!alias.empty()) {
    column.name = alias;
    column.verbatim = true;
  }
  Expression e{std::move(column)};
  if (field->coercion_strategy) {
    Call coerce{Function::Coerce};
    coerce.mode = *field->coercion_strategy;
    coerce.gives = field->effective_type;
    e = {std::move(coerce), {std::move(e)}};
  }
  return e;
}

}  // namespace basalt::query
