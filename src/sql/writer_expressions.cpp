// Expressions: literals, comparisons, arithmetic, functions, aggregations, time.
#include "query/failures.h"
#include "query/moments.h"
#include "sql/writer.h"

namespace basalt::sql {

using query::Expression;
using query::Function;
using query::Literal;
using query::TemporalUnit;
using query::TypeKind;

namespace {

// Templates that say an argument twice double the text at each level. Above what SQL written by hand may hold.
constexpr std::size_t longest_sql = 16u << 20;

bool is_midnight(std::string_view date_time) { return date_time.size() == 10 || date_time.substr(10) == " 00:00:00"; }

Binds binds(const Expression& e) {
  auto* call = e.call();
  if (!call) return Binds::Tightest;
  switch (call->function) {
    case Function::Or: return e.arguments.size() > 1 ? Binds::Or : Binds::Tightest;
    case Function::And: return e.arguments.size() > 1 ? Binds::And : Binds::Tightest;
    case Function::NotEqual: case Function::DoesNotContain: return Binds::Tightest;  // write their own brackets where needed
    case Function::Not: return Binds::Not;
    case Function::Equal: case Function::Less: case Function::Greater: case Function::LessEqual: case Function::GreaterEqual: case Function::Between:
    case Function::IsNull: case Function::NotNull: return Binds::Comparison;
    case Function::Contains: case Function::StartsWith: case Function::EndsWith: return e.arguments.size() > 2 ? Binds::Tightest : Binds::Comparison;
    case Function::Add: case Function::Subtract: return Binds::Sum;
    case Function::Multiply: case Function::Divide: case Function::Share: case Function::ShareOfTotal: return Binds::Product;
    case Function::Bin: return Binds::Sum;
    default: return Binds::Tightest;
  }
}

std::string escaped_like(std::string_view text, char escape) {
  std::string out;
  for (char c : text) {
    if (c == '%' || c == '_' || c == escape) out += escape;
    out += c;
  }
  return out;
}

std::string plain_number(double v) {
  std::string out;
  json::write_number(out, v);
  return out;
}

}  // namespace

// ---- literals

// `beside`: type of what it is compared with; a bare text takes its type from there. Empty: nothing tells the type.
void SqlWriter::literal(const Literal& literal, std::string_view beside) {
  auto& v = literal.value;
  switch (v.kind()) {
    case json::kind::null: out_ += "NULL"; return;
    case json::kind::bool_: return bind(v.get_bool(), "");
    case json::kind::int64: return bind(v.get_int64(), "");
    case json::kind::uint64:
      if (v.get_uint64() > INT64_MAX) return bind(DecimalValue{std::to_string(v.get_uint64())}, "");
      return bind(static_cast<std::int64_t>(v.get_uint64()), "");
    case json::kind::double_: return bind(v.get_double(), "");
    default: break;
  }
  std::string text(v.get_string());
  auto kind = query::type_kind(literal.base_type);
  auto cast = [&](BoundValue value, const std::string& type) {
    if (!dialect_.supports.temporal_types) return bind(std::move(value), "");
    out_ += "CAST(";
    bind(std::move(value), type);
    out_ += " AS ";
    out_ += type;
    out_ += ')';
  };
  switch (kind) {
    case TypeKind::Date: return cast(DateValue{std::move(text)}, dialect_.date_type);
    case TypeKind::Time: return cast(TimeValue{std::move(text)}, dialect_.time_type);
    case TypeKind::DateTime: return cast(TimestampValue{std::move(text), false}, dialect_.timestamp_type);
    case TypeKind::DateTimeZoned: {
      bool zoned = text.ends_with("+00:00");
      if ((!dialect_.supports.temporal_types || !dialect_.supports.zoned_literals) && zoned) {
        // Dates without a zone: the clocks of the report time zone.
        if (auto moment = query::parse_moment(text))
          if (auto* zone = query::Zone::find(query_.time_zone)) text = query::date_time_text(zone->wall(moment->wall - moment->offset.value_or(std::chrono::seconds(0))));
        zoned = false;
      }
      return cast(TimestampValue{std::move(text), zoned}, dialect_.timestamp_zone_type);
    }
    case TypeKind::Uuid:
      if (dialect_.uuid_type == dialect_.text_type) return bind(std::move(text), "");
      return cast(std::move(text), dialect_.uuid_type);
    default: break;
  }
  if (beside.empty() && dialect_.supports.casts_texts) {
    out_ += "CAST(";
    bind(std::move(text), dialect_.text_type);
    out_ += " AS ";
    out_ += dialect_.text_type;
    out_ += ')';
  } else {
    bind(std::move(text), beside);
  }
}

void SqlWriter::expression(const Expression& e, Binds place) {
  if (out_.size() > longest_sql) query::invalid_query("The SQL of this query grows too large: expressions inside each other multiply.");
  if (auto* found = e.literal()) return literal(*found, "");
  if (auto* found = std::get_if<query::Column>(&e.node)) return column(*found);
  if (!e.call()) throw Failure(FailureKind::Bug, "A reference was not resolved.");
  bracketed(binds(e) < place, [&] { call(e, place); });
}

void SqlWriter::call(const Expression& e, Binds place) {
  auto& a = e.arguments;
  auto& called = *e.call();
  switch (called.function) {
    case Function::And:
    case Function::Or: {
      bool all = called.function == Function::And;
      if (a.empty()) { out_ += all ? "1 = 1" : "1 = 0"; return; }
      for (std::size_t i = 0; i < a.size(); ++i) {
        if (i) out_ += all ? " AND " : " OR ";
        // Brackets around an AND inside an OR are not needed, but people like them.
        auto* inner = a[i].call();
        bool mixed = inner && a[i].arguments.size() > 1 && (inner->function == Function::And || inner->function == Function::Or) && inner->function != called.function;
        if (auto* constant = a[i].literal()) {
          if (constant->value.is_bool()) { out_ += constant->value.get_bool() ? "1 = 1" : "1 = 0"; continue; }
        }
        bracketed(mixed, [&] { expression(a[i], mixed ? Binds::Loosest : all ? Binds::And : Binds::Or); });
      }
      return;
    }
    case Function::Not:
      out_ += "NOT ";
      bracketed(binds(a[0]) != Binds::Tightest || !a[0].call(), [&] { expression(a[0]); });
      return;
    case Function::Equal: case Function::NotEqual: case Function::Less: case Function::Greater: case Function::LessEqual:
    case Function::GreaterEqual: case Function::Between: return comparison(e);
    case Function::IsNull:
    case Function::NotNull:
      expression(a[0], Binds::Concat);
      out_ += called.function == Function::IsNull ? " IS NULL" : " IS NOT NULL";
      return;
    case Function::Contains: case Function::DoesNotContain: case Function::StartsWith: case Function::EndsWith: return text_search(e, place);
    case Function::Add: case Function::Subtract: case Function::Multiply: case Function::Divide: return arithmetic(e, place);
    case Function::Case: return case_when(e);
    case Function::Bin: {
      out_ += "FLOOR((";
      expression(a[0], Binds::Sum);
      if (called.low != 0) {
        out_ += called.low < 0 ? " + " : " - ";
        bind(std::abs(called.low), "");
      }
      out_ += ") / ";
      bind(called.width, "");
      out_ += ") * ";
      bind(called.width, "");
      if (called.low != 0) {
        out_ += called.low < 0 ? " - " : " + ";
        bind(std::abs(called.low), "");
      }
      return;
    }
    case Function::Count: case Function::CountWhere: case Function::SumWhere: case Function::DistinctWhere: case Function::Share: case Function::Median:
    case Function::Percentile: return aggregation(e);
    case Function::CumulativeSum: case Function::CumulativeCount: case Function::Offset: return window(e);
    case Function::RowNumber: case Function::Rank: case Function::DenseRank: case Function::Tile: case Function::Lag: case Function::Lead:
    case Function::FirstValue: case Function::LastValue: case Function::RunningSum: case Function::RunningCount: case Function::RunningAverage:
    case Function::RunningMin: case Function::RunningMax: case Function::MovingSum: case Function::MovingAverage: case Function::ShareOfTotal:
    case Function::Total: return over_rows(e);
    case Function::Truncate: case Function::Extract: case Function::DateTimeAdd: case Function::DateTimeSubtract: case Function::DateTimeDiff:
    case Function::ConvertTimezone: case Function::ToDateTime: case Function::Coerce: return temporal(e, place);
    case Function::DayName: {
      out_ += "CASE ";
      expression(a[0], Binds::Sum);
      static constexpr const char* names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
      for (int i = 0; i < 7; ++i) out_ += " WHEN " + std::to_string(i + 1) + " THEN '" + names[(first_day_ + i) % 7] + "'";
      out_ += " END";
      return;
    }
    default: break;
  }
  // One-armed coalesce only carries a name.
  if (called.function == Function::Coalesce && a.size() == 1) return expression(a[0], place);
  auto found = dialect_.functions.find(called.function);
  if (found == dialect_.functions.end()) cannot("compute `" + std::string(query::info(called.function).name) + "`");
  from_template(found->second, e, place);
}

// ---- templates

void SqlWriter::from_template(std::string_view text, const Expression& e, Binds place, int first_day) {
  auto& a = e.arguments;
  int first = first_day < 0 ? first_day_ : first_day;
  // A template that is no single call or CAST gets brackets when something stands around it.
  std::size_t depth = 0;
  bool loose = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    else if (text[i] == ')') --depth;
    else if (text[i] == '\'') i = text.find('\'', i + 1);
    else if (text[i] == ' ' && depth == 0) loose = true;
    if (i == std::string_view::npos) break;
  }
  if (text.starts_with("CASE ") || text.find(" WITHIN GROUP ") != std::string_view::npos) loose = false;
  bool brackets = loose && place > Binds::Comparison;
  if (brackets) out_ += '(';
  std::size_t at = 0;
  while (at < text.size()) {
    auto open = text.find('{', at);
    if (open == std::string_view::npos) {
      out_ += text.substr(at);
      break;
    }
    out_ += text.substr(at, open - at);
    auto close = text.find('}', open);
    auto key = text.substr(open + 1, close - open - 1);
    at = close + 1;
    if (key == "*" || key == "||") {
      for (std::size_t i = 0; i < a.size(); ++i) {
        if (i) out_ += key == "*" ? ", " : " || ";
        expression(a[i], key == "*" ? Binds::Loosest : Binds::Concat);
      }
    } else if (key == "collation") {
      auto* name = a.size() > 1 ? a[1].literal() : nullptr;
      if (!name || !name->value.is_string() || name->value.get_string().empty()) query::invalid_query("`collate` needs the name of a collation as text.");
      dialect_.quote(out_, std::string_view(name->value.get_string()));
    } else if (key == "days") out_ += std::to_string(6 - first);
    else if (key == "back") out_ += std::to_string(7 - first);
    else if (key == "weekday") out_ += std::to_string((first + 1) % 7);
    else if (key == "week") {
      query::Call week{Function::Truncate};
      week.unit = TemporalUnit::Week;
      expression({std::move(week), {a[0]}}, Binds::Tightest);
    } else {
      auto index = static_cast<std::size_t>(key[0] - '0');
      if (index >= a.size()) throw Failure(FailureKind::Bug, "A template of " + dialect_.name + " wants an argument that is not there.");
      // Between brackets and commas nothing can be torn apart.
      char before = open > 0 ? text[open - 1] : '(';
      bool after_comma = open > 1 && text[open - 1] == ' ' && text[open - 2] == ',';
      auto rest = text.substr(at);
      bool fenced = (before == '(' || after_comma || open == 0) && (rest.empty() || rest[0] == ')' || rest[0] == ',' || rest.starts_with(" AS "));
      if (open == 0 && rest.empty()) expression(a[index], place);
      else expression(a[index], fenced ? Binds::Loosest : Binds::Tightest);
    }
  }
  if (brackets) out_ += ')';
}

// ---- comparisons

void SqlWriter::operand(const Expression& e, const Expression& beside, bool full_time) {
  if (auto* found = e.literal()) {
    auto kind = query::type_kind(found->base_type);
    if (!dialect_.supports.temporal_types && (kind == TypeKind::DateTime || kind == TypeKind::DateTimeZoned) && found->value.is_string()) {
      std::string text(found->value.get_string());
      if (kind == TypeKind::DateTimeZoned && text.ends_with("+00:00")) {
        if (auto moment = query::parse_moment(text))
          if (auto* zone = query::Zone::find(query_.time_zone)) text = query::date_time_text(zone->wall(moment->wall - moment->offset.value_or(std::chrono::seconds(0))));
      }
      if (full_time) {
        if (text.size() == 10) text += " 00:00:00";
        if (text.size() == 19) text += ".000";
        text.resize(23);
      } else {
        text.resize(10);
      }
      return bind(TimestampValue{std::move(text), false}, "");
    }
    if (found->value.is_string() && !is_temporal(kind) && kind != TypeKind::Uuid) {
      auto type = query::type_of(beside);
      return literal(*found, beside.literal() ? std::string_view() : type.empty() ? std::string_view("type/*") : type);
    }
    return literal(*found, query::type_of(beside));
  }
  if (full_time && !dialect_.supports.temporal_types && query::is_temporal(query::kind_of(e)) && query::kind_of(e) != TypeKind::Time) {
    out_ += "STRFTIME('%Y-%m-%d %H:%M:%f', ";
    expression(e);
    out_ += ')';
    return;
  }
  expression(e, Binds::Concat);
}

void SqlWriter::comparison(const Expression& e) {
  auto& a = e.arguments;
  auto function = e.call()->function;
  // Dates as text: whole days compare as they are ('2024-05-17…' sorts after '2024-05-17'), anything finer in one fixed form.
  bool full_time = false;
  if (!dialect_.supports.temporal_types) {
    bool columns_only = true;  // two computed texts may have different forms
    for (auto& argument : a) columns_only &= !argument.literal();
    for (auto& argument : a) {
      auto* found = argument.literal();
      auto kind = found ? query::type_kind(found->base_type) : TypeKind::Unknown;
      if (!found || !found->value.is_string()) {
        auto own = query::kind_of(argument);
        bool plain = columns_only || (function != Function::Less && function != Function::GreaterEqual);
        if ((own == TypeKind::DateTime || own == TypeKind::DateTimeZoned) && plain) full_time = true;
        continue;
      }
      if ((kind == TypeKind::DateTime || kind == TypeKind::DateTimeZoned) && (!is_midnight(std::string_view(found->value.get_string())) || (function != Function::Less && function != Function::GreaterEqual))) full_time = true;
    }
  }
  auto write = [&](std::size_t i) { operand(a[i], i == 0 ? a[a.size() > 1 ? 1 : 0] : a[0], full_time); };
  auto list = [&](const char* word) {
    write(0);
    out_ += word;
    for (std::size_t i = 1; i < a.size(); ++i) {
      if (i > 1) out_ += ", ";
      write(i);
    }
    out_ += ')';
  };
  auto infix = [&](const char* sign) {
    write(0);
    out_ += sign;
    write(1);
  };
  switch (function) {
    case Function::Equal:
      if (a.size() == 2 && a[1].literal() && a[1].literal()->value.is_null()) { write(0); out_ += " IS NULL"; return; }
      if (a.size() == 2) return infix(" = ");
      return list(" IN (");
    case Function::NotEqual: {
      // Rows without a value are different from any value.
      bool may_be_null = !a[0].literal();
      if (a.size() == 2 && a[1].literal() && a[1].literal()->value.is_null()) { write(0); out_ += " IS NOT NULL"; return; }
      bracketed(true, [&] {
        if (a.size() == 2) infix(" <> ");
        else list(" NOT IN (");
        if (!may_be_null) return;
        out_ += " OR ";
        expression(a[0], Binds::Concat);
        out_ += " IS NULL";
      });
      return;
    }
    case Function::Between:
      write(0);
      out_ += " BETWEEN ";
      write(1);
      out_ += " AND ";
      write(2);
      return;
    case Function::Less: return infix(" < ");
    case Function::Greater: return infix(" > ");
    case Function::LessEqual: return infix(" <= ");
    default: return infix(" >= ");
  }
}

void SqlWriter::one_search(Function function, const Expression& subject, const Expression& needle, bool case_sensitive) {
  auto wrapped = [&](const std::string& around, auto write) {
    auto place = around.find("{0}");
    if (place == std::string::npos) return write(false);
    out_.append(around, 0, place);
    write(true);
    out_.append(around, place + 3);
  };
  auto text_of = [&](const Expression& e, bool lower, bool inside) {
    auto kind = query::kind_of(e);
    bool cast = !e.literal() && kind != TypeKind::Text && kind != TypeKind::Unknown;
    if (lower) out_ += "LOWER(";
    if (cast) out_ += "CAST(";
    expression(e, lower || cast || inside ? Binds::Loosest : Binds::Concat);
    if (cast) out_ += " AS " + dialect_.text_type + ")";
    if (lower) out_ += ")";
  };
  auto* found = needle.literal();
  if (found && !found->value.is_string() && !found->value.is_null()) {
    Expression as_text{Literal{json::value(json::write(found->value))}};
    return one_search(function, subject, as_text, case_sensitive);
  }
  if (found && found->value.is_string() && (dialect_.supports.case_sensitive_like || !case_sensitive)) {
    std::string pattern = escaped_like(std::string_view(found->value.get_string()), dialect_.like_escape);
    if (function != Function::StartsWith) pattern = "%" + pattern;
    if (function != Function::EndsWith) pattern += "%";
    wrapped(case_sensitive ? dialect_.searched : dialect_.searched_any_case, [&](bool inside) { text_of(subject, false, inside); });
    out_ += ' ';
    out_ += case_sensitive ? dialect_.like : dialect_.like_any_case;
    out_ += ' ';
    wrapped(case_sensitive ? std::string() : dialect_.pattern_any_case, [&](bool) { bind(std::move(pattern), "pattern"); });
    out_ += " ESCAPE '";
    out_ += dialect_.like_escape;
    out_ += '\'';
    return;
  }
  auto template_found = dialect_.functions.find(function);
  if (template_found == dialect_.functions.end()) cannot("search text for another column");
  auto prepared = [&](const Expression& e) {
    auto kind = query::kind_of(e);
    Expression out = e;
    if (!e.literal() && kind != TypeKind::Text && kind != TypeKind::Unknown) out = {query::Call{Function::ToText}, {std::move(out)}};
    if (!case_sensitive) out = {query::Call{Function::Lower}, {std::move(out)}};
    return out;
  };
  from_template(template_found->second, {query::Call{function}, {prepared(subject), prepared(needle)}}, Binds::Loosest);
}

void SqlWriter::text_search(const Expression& e, Binds) {
  auto& a = e.arguments;
  auto& called = *e.call();
  if (called.function == Function::DoesNotContain) {
    // Rows without a text contain nothing.
    out_ += '(';
    bracketed(a.size() > 2, [&] {
      for (std::size_t i = 1; i < a.size(); ++i) {
        if (i > 1) out_ += " AND ";
        out_ += "NOT (";
        one_search(Function::Contains, a[0], a[i], called.case_sensitive);
        out_ += ')';
      }
    });
    out_ += " OR ";
    expression(a[0], Binds::Concat);
    out_ += " IS NULL)";
    return;
  }
  bracketed(a.size() > 2, [&] {
    for (std::size_t i = 1; i < a.size(); ++i) {
      if (i > 1) out_ += " OR ";
      one_search(called.function, a[0], a[i], called.case_sensitive);
    }
  });
}

// ---- numbers

void SqlWriter::arithmetic(const Expression& e, Binds) {
  auto& a = e.arguments;
  auto function = e.call()->function;
  if (a.size() == 1) {
    if (function == Function::Subtract) out_ += '-';
    return expression(a[0], Binds::Tightest);
  }
  if (function == Function::Divide) {
    // A fraction, also of whole numbers; no value where the divisor is zero.
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (i == 0) {
        auto* found = a[0].literal();
        if (found && found->value.is_double()) { expression(a[0]); continue; }
        out_ += "CAST(";
        expression(a[0]);
        out_ += " AS " + dialect_.float_type + ")";
        continue;
      }
      out_ += " / ";
      auto* found = a[i].literal();
      if (found && found->value.is_number() && found->value.to_number<double>() != 0) {
        bind(found->value.to_number<double>(), "");
      } else {
        out_ += "NULLIF(";
        expression(a[i]);
        out_ += ", 0)";
      }
    }
    return;
  }
  const char* sign = function == Function::Add ? " + " : function == Function::Subtract ? " - " : " * ";
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (i) out_ += sign;
    // a - (b - c) is not a - b - c.
    auto place = function == Function::Multiply ? (i ? Binds::Tightest : Binds::Product) : i && function == Function::Subtract ? Binds::Product : Binds::Sum;
    expression(a[i], place);
  }
}

void SqlWriter::case_when(const Expression& e) {
  auto& a = e.arguments;
  out_ += "CASE";
  for (std::size_t i = 0; i + 1 < a.size(); i += 2) {
    out_ += " WHEN ";
    expression(a[i]);
    out_ += " THEN ";
    expression(a[i + 1]);
  }
  if (a.size() % 2) {
    out_ += " ELSE ";
    expression(a.back());
  }
  out_ += " END";
}

// ---- aggregations

void SqlWriter::aggregation(const Expression& e) {
  auto& a = e.arguments;
  auto when = [&](const Expression& predicate, const Expression* value, const char* otherwise) {
    out_ += "CASE WHEN ";
    expression(predicate);
    out_ += " THEN ";
    if (value) expression(*value);
    else out_ += '1';
    out_ += otherwise;
    out_ += " END";
  };
  switch (e.call()->function) {
    case Function::Count:
      out_ += "COUNT(";
      if (a.empty()) out_ += '*';
      else expression(a[0]);
      out_ += ')';
      return;
    case Function::CountWhere:
      out_ += "SUM(";
      when(a[0], nullptr, " ELSE 0");
      out_ += ')';
      return;
    case Function::SumWhere:
      out_ += "SUM(";
      when(a[1], &a[0], " ELSE 0");
      out_ += ')';
      return;
    case Function::DistinctWhere:
      out_ += "COUNT(DISTINCT ";
      when(a[1], &a[0], "");
      out_ += ')';
      return;
    case Function::Share:
      out_ += "CAST(SUM(";
      when(a[0], nullptr, " ELSE 0");
      out_ += ") AS " + dialect_.float_type + ") / NULLIF(COUNT(*), 0)";
      return;
    default: break;
  }
  if (dialect_.percentile.empty()) cannot("compute medians and percentiles");
  double fraction = e.call()->function == Function::Median ? 0.5 : a[1].literal()->value.to_number<double>();
  // The engines want this one written out; it is a number between 0 and 1, checked before.
  std::string text = dialect_.percentile;
  text.replace(text.find("{1}"), 3, plain_number(fraction));
  from_template(text, e, Binds::Loosest);
}

// ---- time

void SqlWriter::temporal(const Expression& e, Binds place) {
  auto& a = e.arguments;
  auto& called = *e.call();
  auto kind = query::kind_of(a[0]);
  auto unit = called.unit.value_or(TemporalUnit::Day);
  auto pick = [&](const UnitTemplates& templates) -> const std::string& {
    auto found = templates.find(unit);
    if (found == templates.end()) cannot("work with the unit " + std::string(query::name_of(unit)) + " here");
    return found->second;
  };
  switch (called.function) {
    case Function::Truncate: {
      if (unit == TemporalUnit::Week && first_day_ == 0 && !dialect_.week_from_monday.empty())
        return from_template(kind == TypeKind::Date ? dialect_.week_from_monday_date : dialect_.week_from_monday, e, place);
      return from_template(pick(kind == TypeKind::Date ? dialect_.truncate_date : kind == TypeKind::Time ? dialect_.truncate_time : dialect_.truncate), e, place);
    }
    case Function::Extract:
      return from_template(pick(dialect_.extract), e, place, called.mode == "us" ? 6 : called.mode == "iso" ? 0 : -1);
    case Function::DateTimeAdd:
    case Function::DateTimeSubtract: {
      Expression moved{e.node, a};
      if (called.function == Function::DateTimeSubtract) {
        auto* number = a[1].literal();
        auto n = number ? json::as_integer(number->value) : std::nullopt;
        if (n) moved.arguments[1] = Expression{Literal{-*n}};
        else moved.arguments[1] = Expression{query::Call{Function::Subtract}, {a[1]}};
      }
      bool stays_date = kind == TypeKind::Date && unit >= TemporalUnit::Day;
      if (stays_date) out_ += dialect_.supports.temporal_types ? "CAST(" : "DATE(";
      from_template(pick(dialect_.add), moved, stays_date ? Binds::Loosest : place);
      if (stays_date) out_ += dialect_.supports.temporal_types ? " AS " + dialect_.date_type + ")" : ")";
      return;
    }
    case Function::DateTimeDiff: return from_template(pick(dialect_.difference), e, place);
    case Function::ConvertTimezone: {
      auto& text = a.size() == 3 ? dialect_.between_zones : dialect_.in_zone;
      if (text.empty()) cannot("convert time zones");
      return from_template(text, e, place);
    }
    case Function::ToDateTime: {
      auto found = dialect_.to_datetime.find(called.mode);
      if (found == dialect_.to_datetime.end()) cannot("read dates in the mode `" + called.mode.substr(0, 40) + "`");
      return from_template(found->second, e, place);
    }
    default: {  // Coerce
      auto found = dialect_.coercions.find(called.mode);
      if (found == dialect_.coercions.end()) cannot("coerce a column by " + called.mode.substr(0, 80));
      return from_template(found->second, e, place);
    }
  }
}

}  // namespace basalt::sql
