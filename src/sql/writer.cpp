// Statements: SELECT, FROM, JOIN, WHERE, GROUP BY, ORDER BY, LIMIT. Expressions are in writer_expressions.cpp.
#include "sql/writer.h"

#include <algorithm>

#include "base/failure.h"
#include "query/failures.h"
#include "query/moments.h"

namespace basalt::sql {

using query::Expression;

SqlWriter::SqlWriter(const query::ResolvedQuery& query, const Dialect& dialect, CompileOptions options)
    : query_(query), dialect_(dialect), options_(options), first_day_(query::first_day_of_week(query.start_of_week)) {
  out_.reserve(512);
}

Statement SqlWriter::write() {
  auto& root = *query_.stage;
  if (root.verbatim) native(std::get<query::NativeText>(root.source));
  else stage(root);
  return {std::move(out_), std::move(values_)};
}

void SqlWriter::cannot(const std::string& what) const {
  query::unsupported(dialect_.title + " cannot " + what + ".");
}

void SqlWriter::line(const char* keyword) {
  if (options_.layout != CompileOptions::Layout::OneLine) {
    out_ += '\n';
    out_.append(static_cast<std::size_t>(indent_) * 2, ' ');
  } else {
    out_ += ' ';
  }
  out_ += keyword;
}

void SqlWriter::item(bool first) {
  if (options_.layout != CompileOptions::Layout::Pretty) {
    if (!first) out_ += ", ";
    return;
  }
  if (first) {
    // "SELECT " ends in a blank; the line does not.
    if (!out_.empty() && out_.back() == ' ') out_.pop_back();
  } else {
    out_ += ',';
  }
  out_ += '\n';
  out_.append(static_cast<std::size_t>(indent_ + 1) * 2, ' ');
}

void SqlWriter::bind(BoundValue value, std::string_view use) {
  constexpr std::size_t looked_at = 200;
  for (std::size_t i = 0; dialect_.numbered && i < values_.size() && i < looked_at; ++i)
    if (values_[i] == value && uses_[i] == use) return dialect_.write_placeholder(out_, i + 1);
  values_.push_back(std::move(value));
  uses_.emplace_back(use);
  dialect_.write_placeholder(out_, values_.size());
}

void SqlWriter::native(const query::NativeText& native) {
  for (auto& piece : native.pieces) {
    if (auto* text = std::get_if<std::string>(&piece.content)) out_ += *text;
    else if (auto* e = std::get_if<Expression>(&piece.content)) expression(*e, e->call() ? Binds::Not : Binds::Loosest);
    else stage(*std::get<std::shared_ptr<const query::ResolvedStage>>(piece.content));
  }
}

void SqlWriter::source(const query::ResolvedSource& source, const std::string& alias, bool bare_alias) {
  if (auto* table = std::get_if<query::TableName>(&source)) {
    if (table->schema && !table->schema->empty()) {
      dialect_.quote(out_, *table->schema);
      out_ += '.';
    }
    dialect_.quote(out_, table->name);
    if (bare_alias && alias == table->name) return;
  } else if (auto* text = std::get_if<query::NativeText>(&source)) {
    out_ += '(';
    auto before = out_.size();
    native(*text);
    // A semicolon would end the statement, a trailing comment would swallow the bracket.
    while (out_.size() > before && (static_cast<unsigned char>(out_.back()) <= ' ' || out_.back() == ';')) out_.pop_back();
    out_ += "\n)";
  } else if (auto* parts = std::get_if<std::shared_ptr<const query::ResolvedUnion>>(&source)) {
    out_ += '(';
    ++indent_;
    for (std::size_t i = 0; i < (*parts)->parts.size(); ++i) {
      if (i) {
        line((*parts)->distinct[i - 1] ? "UNION" : "UNION ALL");
        line("");
      } else if (options_.layout == CompileOptions::Layout::Pretty) line("");
      stage(*(*parts)->parts[i]);
    }
    --indent_;
    if (options_.layout == CompileOptions::Layout::Pretty) line("");
    out_ += ')';
  } else {
    out_ += '(';
    ++indent_;
    bool pretty = options_.layout == CompileOptions::Layout::Pretty;
    if (pretty) line("");
    stage(*std::get<std::shared_ptr<const query::ResolvedStage>>(source));
    --indent_;
    if (pretty) line("");
    out_ += ')';
  }
  out_ += " AS ";
  dialect_.quote(out_, alias);
}

void SqlWriter::join(const query::ResolvedJoin& join) {
  switch (join.strategy) {
    case query::JoinStrategy::Left: line("LEFT JOIN "); break;
    case query::JoinStrategy::Inner: line("INNER JOIN "); break;
    case query::JoinStrategy::Right:
      if (!dialect_.supports.right_and_full_joins) cannot("do right joins; swap the tables and use a left join");
      line("RIGHT JOIN ");
      break;
    case query::JoinStrategy::Full:
      if (!dialect_.supports.right_and_full_joins || !dialect_.supports.full_joins) cannot("do full joins");
      line("FULL JOIN ");
      break;
  }
  source(join.source, join.alias, true);
  out_ += " ON ";
  if (join.condition) expression(*join.condition);
  else out_ += "1 = 1";
}

bool SqlWriter::never_null(const Expression& e) const {
  if (e.literal() || e.is(query::Function::Count) || e.is(query::Function::Distinct)) return true;
  auto* column = std::get_if<query::Column>(&e.node);
  if (!column || !column->required || !column->source.empty() || !stage_) return false;
  for (auto& join : stage_->joins)
    if (join.strategy == query::JoinStrategy::Right || join.strategy == query::JoinStrategy::Full) return false;
  return true;
}

void SqlWriter::order(const std::vector<query::ResolvedOrdering>& orders) {
  auto& can = dialect_.supports;
  bool first = true;
  for (auto& ordering : orders) {
    if (!first) out_ += ", ";
    first = false;
    bool ascending = ordering.direction == query::Direction::Ascending;
    auto& by = ordering.output && stage_ ? stage_->outputs[*ordering.output].expression : ordering.by;
    bool told = can.nulls != Nulls::High && !(ascending && can.nulls == Nulls::Last) && !never_null(by);
    if (told && !can.nulls_clause) {
      // Written out: a name may mean a column of two tables, and may not stand for an aggregation here (MariaDB).
      expression(by, Binds::Concat);
      out_ += ascending ? " IS NULL, " : " IS NULL DESC, ";
    }
    if (ordering.output) out_ += std::to_string(*ordering.output + 1);
    else expression(ordering.by);
    out_ += ascending ? " ASC" : " DESC";
    if (told && can.nulls_clause) out_ += ascending ? " NULLS LAST" : " NULLS FIRST";
  }
}

void SqlWriter::stage(const query::ResolvedStage& stage) {
  auto* outer = stage_;
  if (stage.verbatim) {
    native(std::get<query::NativeText>(stage.source));
    return;
  }
  stage_ = &stage;
  out_ += "SELECT ";
  bool first = true;
  if (stage.all_columns) {
    item(true);
    dialect_.quote(out_, stage.alias);
    out_ += ".*";
    first = false;
  }
  for (auto& output : stage.outputs) {
    item(first);
    first = false;
    expression(output.expression);
    auto* column = std::get_if<query::Column>(&output.expression.node);
    if (column && column->name == output.name) continue;
    out_ += " AS ";
    dialect_.quote(out_, output.name);
  }
  line("FROM ");
  source(stage.source, stage.alias, true);
  for (auto& each : stage.joins) join(each);
  if (stage.filter) {
    line("WHERE ");
    if (options_.layout == CompileOptions::Layout::Pretty && stage.filter->is(query::Function::And) && stage.filter->arguments.size() > 1) {
      for (std::size_t i = 0; i < stage.filter->arguments.size(); ++i) {
        if (i) {
          line("  AND ");
        }
        expression(stage.filter->arguments[i], Binds::And);
      }
    } else {
      expression(*stage.filter);
    }
  }
  if (!stage.group_by.empty()) {
    line("GROUP BY ");
    for (std::size_t i = 0; i < stage.group_by.size(); ++i) {
      if (i) out_ += ", ";
      out_ += std::to_string(stage.group_by[i] + 1);
    }
  }
  if (!stage.order_by.empty()) {
    line("ORDER BY ");
    order(stage.order_by);
  }
  if (stage.limit) {
    line("LIMIT ");
    out_ += std::to_string(*stage.limit);
  }
  if (stage.offset && *stage.offset > 0) {
    out_ += " OFFSET ";
    out_ += std::to_string(*stage.offset);
  }
  stage_ = outer;
}

void SqlWriter::column(const query::Column& column) {
  if (column.verbatim) {
    out_ += column.name;  // the author's own SQL, like the text around it
    return;
  }
  if (column.table) {
    if (column.schema && !column.schema->empty()) {
      dialect_.quote(out_, *column.schema);
      out_ += '.';
    }
    dialect_.quote(out_, *column.table);
    if (column.name.empty()) return;
  } else {
    dialect_.quote(out_, column.source.empty() && stage_ ? stage_->alias : column.source);
  }
  out_ += '.';
  dialect_.quote(out_, column.name);
}

Compiled compile(const query::ResolvedQuery& query, const Dialect& dialect, const CompileOptions& options) {
  Compiled result;
  result.statement = SqlWriter(query, dialect, options).write();
  result.columns = query.columns;
  result.columns_known = query.columns_known;
  return result;
}

std::string show(const Statement& statement, const Dialect& dialect) {
  std::string out;
  auto& text = statement.text;
  auto literal = [&](const BoundValue& value) {
    std::visit([&](auto& v) {
      using T = std::decay_t<decltype(v)>;
      auto quote = [&](const std::string& words) {
        out += '\'';
        for (char c : words) {
          if (c == '\'' || (c == '\\' && dialect.backslash_escapes)) out += c;
          out += c;
        }
        out += '\'';
      };
      if constexpr (std::is_same_v<T, NullValue>) out += "NULL";
      else if constexpr (std::is_same_v<T, bool>) out += v ? "TRUE" : "FALSE";
      else if constexpr (std::is_same_v<T, std::int64_t>) out += std::to_string(v);
      else if constexpr (std::is_same_v<T, double>) json::write_number(out, v);
      else if constexpr (std::is_same_v<T, DecimalValue>) out += v.text;
      else if constexpr (std::is_same_v<T, std::string>) quote(v);
      else quote(v.text);
    }, value);
  };
  std::size_t next = 0;  // of the values, for placeholders without numbers
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    // Placeholders stand neither in text literals nor in quoted names.
    if (c == '\'' || c == '"' || c == '`') {
      auto end = i + 1;
      while (end < text.size() && text[end] != c) end += dialect.backslash_escapes && c != '`' && text[end] == '\\' ? 2 : 1;
      end = std::min(end, text.size() - 1);
      out.append(text, i, end - i + 1);
      i = end;
      continue;
    }
    bool digits = i + 1 < text.size() && text[i + 1] >= '1' && text[i + 1] <= '9';
    if (c == '?' && !digits && next < statement.values.size()) {
      literal(statement.values[next++]);
      continue;
    }
    if ((c != '$' && c != '?') || !digits) {
      out += c;
      continue;
    }
    std::size_t number = 0, end = i + 1;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9' && number < 1'000'000) number = number * 10 + static_cast<std::size_t>(text[end++] - '0');
    if (number > statement.values.size()) {
      out += c;
      continue;
    }
    literal(statement.values[number - 1]);
    i = end - 1;
  }
  return out;
}

}  // namespace basalt::sql
