// Native SQL: its variables, field filters, snippets and cards filled in.
#include <algorithm>
#include <charconv>

#include "query/parameters.h"
#include "query/parse.h"
#include "query/passes/passes.h"
#include "query/resolver.h"
#include "query/template.h"

namespace basalt::query {
namespace {

constexpr int deepest_snippet = 10;

// What stands for a tag that is filled in.
struct Choice {
  json::value value = nullptr;                       // null: none
  const json::object* parameter = nullptr;
};

bool is_blank(const json::value& v) {
  if (v.is_null()) return true;
  if (auto* list = v.if_array()) return std::all_of(list->begin(), list->end(), [](const json::value& item) { return item.is_null(); });
  return false;
}

class Filler {
 public:
  Filler(Resolver& resolver, const NativeQuery& query, const json::array& parameters, std::vector<CardId>& cards)
      : resolver_(resolver), query_(query), parameters_(parameters), cards_(cards) {}

  NativeText fill() {
    fill_pieces(parse_template(query_.text), 0);
    return std::move(result_);
  }

 private:
  void text(std::string_view sql) {
    if (!result_.pieces.empty())
      if (auto* last = std::get_if<std::string>(&result_.pieces.back().content)) {
        *last += sql;
        return;
      }
    result_.pieces.push_back({std::string(sql), NativePiece::As::Text});
  }
  void expression(Expression e) { result_.pieces.push_back({std::move(e), NativePiece::As::Expression}); }

  const TemplateTag* tag_called(const std::string& name) const {
    for (auto& tag : query_.tags)
      if (tag.name == name) return &tag;
    return nullptr;
  }

  // Parameter's value; an explicit null means none, an absent one the tag's default.
  Choice choice(const std::string& name, const TemplateTag* tag) {
    for (auto& parameter : parameters_) {
      auto* o = parameter.if_object();
      auto* target_json = json::find(parameter, "target");
      if (!o || !target_json) continue;
      auto target = parameter_target(*target_json);
      if (!target || target->column) continue;
      if (target->tag != name && (target->tag_id.empty() || !tag || target->tag_id != tag->id)) continue;
      if (auto* value = o->if_contains("value")) {
        if (is_blank(*value) && tag && tag->required && !tag->default_value.is_null()) return {tag->default_value, nullptr};
        return {*value, o};
      }
      if (tag && !tag->default_value.is_null()) return {tag->default_value, nullptr};
      if (auto* fallback = json::find(parameter, "default")) return {*fallback, o};
      return {};
    }
    if (tag && !tag->default_value.is_null()) return {tag->default_value, nullptr};
    return {};
  }

  static bool names_snippet(const std::string& name) { return name.starts_with("snippet:"); }
  static std::optional<CardId> names_card(const std::string& name) {
    if (name.size() < 2 || name[0] != '#') return std::nullopt;
    std::int64_t id = 0;
    auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), id);
    if (error != std::errc() || id <= 0 || (end != name.data() + name.size() && *end != '-')) return std::nullopt;
    return CardId(id);
  }

  bool has_value(const std::string& name) {
    if (names_snippet(name) || names_card(name)) return true;
    auto* tag = tag_called(name);
    if (tag && (tag->type == "snippet" || tag->type == "card" || tag->type == "table")) return true;
    return !is_blank(choice(name, tag).value);
  }

  void fill_pieces(const std::vector<TemplatePiece>& pieces, int depth) {
    for (auto& piece : pieces) {
      switch (piece.kind) {
        case TemplatePiece::Kind::Text: text(piece.text); break;
        case TemplatePiece::Kind::Parameter: fill_parameter(piece.text, depth); break;
        case TemplatePiece::Kind::Optional: {
          bool all = true;
          for (auto& inner : piece.inside)
            if (inner.kind == TemplatePiece::Kind::Parameter && !has_value(inner.text)) all = false;
          // A block of blocks stands when one of them does.
          bool own = std::any_of(piece.inside.begin(), piece.inside.end(), [](auto& p) { return p.kind == TemplatePiece::Kind::Parameter; });
          if (!own) all = std::any_of(piece.inside.begin(), piece.inside.end(), [&](auto& p) { return p.kind == TemplatePiece::Kind::Optional && block_stands(p); });
          if (all) fill_pieces(piece.inside, depth);
          break;
        }
      }
    }
  }
  bool block_stands(const TemplatePiece& block) {
    bool own = false;
    for (auto& inner : block.inside)
      if (inner.kind == TemplatePiece::Kind::Parameter) {
        own = true;
        if (!has_value(inner.text)) return false;
      }
    if (own) return true;
    return std::any_of(block.inside.begin(), block.inside.end(), [&](auto& p) { return p.kind == TemplatePiece::Kind::Optional && block_stands(p); });
  }

  void fill_parameter(const std::string& name, int depth) {
    auto* tag = tag_called(name);
    if (names_snippet(name) || (tag && tag->type == "snippet")) return snippet(name, tag, depth);
    if (auto card = tag && tag->type == "card" && tag->card ? tag->card : names_card(name)) return fill_card(*card);
    if (tag && tag->type == "table") return table(*tag);
    auto chosen = choice(name, tag);
    std::string title = tag && !tag->display_name.empty() ? tag->display_name : name;
    if (tag && tag->type == "temporal-unit") return bucketed_column(*tag, chosen.value);
    if (is_blank(chosen.value)) {
      if (tag && tag->type == "dimension" && !tag->required) return text("1 = 1");
      missing_parameter("You'll need to pick a value for '" + title + "' before this query can run.");
    }
    if (tag && tag->type == "dimension") return field_filter(*tag, chosen);
    raw_values(tag ? tag->type : "text", chosen.value, title);
  }

  void raw_values(const std::string& type, const json::value& value, const std::string& title) {
    std::vector<json::value> values;
    if (auto* list = value.if_array()) values.assign(list->begin(), list->end());
    else values.push_back(value);
    bool first = true;
    for (auto& v : values) {
      if (v.is_null()) continue;
      if (v.is_array() || v.is_object()) invalid_parameter("The value of '" + title + "' is a number, a text, true or false, or a list of these.");
      if (!first) text(", ");
      first = false;
      if (type == "number") numbers(v, title);
      else if (type == "date") date(v, title);
      else if (type == "boolean") boolean(v, title);
      else expression({Literal{v.is_string() ? v : json::value(json::write(v)), "type/Text"}});
    }
  }
  void numbers(const json::value& v, const std::string& title) {
    if (v.is_number()) return expression({Literal{v}});
    if (!v.is_string()) invalid_parameter("'" + title + "' takes numbers.");
    std::string_view rest = v.get_string();
    for (bool first = true;; first = false) {
      auto comma = rest.find(',');
      auto part = rest.substr(0, comma);
      while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
      while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
      if (!first) text(", ");
      std::int64_t whole = 0;
      double real = 0;
      auto* end = part.data() + part.size();
      if (auto [at, error] = std::from_chars(part.data(), end, whole); error == std::errc() && at == end && !part.empty()) expression({Literal{whole}});
      else if (auto [stop, problem] = std::from_chars(part.data(), end, real); problem == std::errc() && stop == end && !part.empty()) expression({Literal{real}});
      else invalid_parameter("\"" + std::string(part).substr(0, 60) + "\" is no number; '" + title + "' takes numbers.");
      if (comma == std::string_view::npos) return;
      rest.remove_prefix(comma + 1);
    }
  }
  void date(const json::value& v, const std::string& title) {
    auto moment = v.is_string() ? parse_moment(std::string_view(v.get_string())) : std::nullopt;
    if (!moment) invalid_parameter("'" + title + "' takes a date such as 2024-05-17.");
    if (moment->kind == Moment::Kind::Date) return expression({Literal{json::value(date_text(moment->wall)), "type/Date"}});
    if (moment->kind == Moment::Kind::Time) return expression({Literal{json::value(time_text(moment->wall)), "type/Time"}});
    Wall wall = moment->offset ? resolver_.zone().wall(moment->wall - *moment->offset) : moment->wall;
    expression({Literal{json::value(date_time_text(wall)), "type/DateTime"}});
  }
  void boolean(const json::value& v, const std::string& title) {
    if (v.is_bool()) return expression({Literal{v}});
    if (v.is_string() && (v.get_string() == "true" || v.get_string() == "false")) return expression({Literal{v.get_string() == "true"}});
    invalid_parameter("'" + title + "' takes true or false.");
  }

  // A parameter may only do what the tag was made for: otherwise a saved question could be asked something else.
  static void check_type(const std::string& given, const TemplateTag& tag) {
    const std::string& wanted = tag.widget_type;
    if (given.empty() || wanted.empty() || wanted == "none" || given == wanted) return;
    auto one_of = [&](std::initializer_list<std::string_view> names) { return std::find(names.begin(), names.end(), std::string_view(given)) != names.end(); };
    bool fits = false;
    if (wanted == "number" || wanted == "number/=") fits = one_of({"number", "number/=", "id", "category"});
    else if (wanted == "text" || wanted == "string/=") fits = one_of({"text", "string/=", "category", "id", "location/city", "location/state", "location/zip_code", "location/country"});
    else if (wanted == "date/all-options") fits = given == "date" || given.starts_with("date/");
    else if (wanted == "date" || wanted == "date/single") fits = one_of({"date", "date/single"});
    else if (wanted == "category") fits = one_of({"number", "text", "date", "boolean", "number/=", "string/=", "id"});
    else if (wanted == "id") fits = one_of({"number", "text", "date", "number/=", "string/=", "category"});
    else if (wanted.starts_with("location/")) fits = one_of({"text", "string/=", "category"});
    else if (wanted == "boolean" || wanted == "boolean/=") fits = one_of({"boolean", "boolean/=", "category"});
    if (!fits) invalid_parameter("The variable '" + tag.name + "' is a filter of type " + wanted + " and does not take a value of type " + given.substr(0, 60) + ".");
  }

  Expression resolve_here(Expression filter) {
    static const Stage nothing;
    desugar_clause(filter);
    return resolver_.resolve_alone(nothing, filter);
  }

  void field_filter(const TemplateTag& tag, const Choice& chosen) {
    std::string given = chosen.parameter ? json::text(*chosen.parameter, "type").value_or("") : "";
    check_type(given, tag);
    std::string type = !tag.widget_type.empty() && tag.widget_type != "none" ? tag.widget_type : !given.empty() ? given : "category";
    if (type == "date/all-options" && given.starts_with("date/")) type = given;
    auto subject = resolver_.qualified_field(*tag.dimension, tag.alias);
    auto* options = chosen.parameter ? json::sub_object(*chosen.parameter, "options") : nullptr;
    auto filter = parameter_filter(type, chosen.value, subject, options ? *options : tag.options);
    if (!filter) return text("1 = 1");
    expression(resolve_here(std::move(*filter)));
  }

  void bucketed_column(const TemplateTag& tag, const json::value& value) {
    auto column = resolver_.qualified_field(*tag.dimension, tag.alias);
    const json::value* unit_name = &value;
    if (auto* list = value.if_array(); list && list->size() == 1) unit_name = &(*list)[0];
    if (is_blank(*unit_name)) {
      if (tag.required) missing_parameter("You'll need to pick a value for '" + (tag.display_name.empty() ? tag.name : tag.display_name) + "' before this query can run.");
      return expression(std::move(column));
    }
    auto unit = unit_name->is_string() ? temporal_unit(std::string_view(unit_name->get_string())) : std::nullopt;
    if (!unit) invalid_parameter("'" + tag.name + "' takes a unit of time such as month.");
    expression(resolver_.bucket(std::move(column), *unit, tag.name));
  }

  void table(const TemplateTag& tag) {
    auto* table = tag.table ? resolver_.catalog().table(*tag.table) : tag.table_name.empty() ? nullptr : resolver_.catalog().table_named(resolver_.database(), tag.table_schema, tag.table_name);
    if (table && table->database != resolver_.database()) table = nullptr;
    if (!table) throw Failure(FailureKind::NotFound, "The table of the variable '" + tag.name + "' does not exist.").with_error_type("invalid-query");
    expression({Column{"", "", "type/*", table->schema, table->name}});
  }

  void snippet(const std::string& name, const TemplateTag* tag, int depth) {
    if (depth > deepest_snippet) invalid_query("Snippets use each other too deeply; does one of them use itself?", "native.query");
    std::string called = tag && !tag->snippet_name.empty() ? tag->snippet_name : name.substr(std::min<std::size_t>(name.size(), 8));
    auto start = called.find_first_not_of(" \t");
    called = start == std::string::npos ? "" : called.substr(start);
    auto content = resolver_.catalog().snippet(called);
    if (!content) throw Failure(FailureKind::NotFound, "There is no snippet called \"" + called.substr(0, 100) + "\".").with_error_type("invalid-query");
    fill_pieces(parse_template(*content), depth + 1);
  }

  void fill_card(CardId id) {
    auto* card = resolver_.catalog().card(id);
    if (!card) throw Failure(FailureKind::NotFound, "Card " + std::to_string(id.value) + " does not exist.").with_error_type("invalid-query");
    if (std::find(cards_.begin(), cards_.end(), id) != cards_.end() || cards_.size() > 20) invalid_query("The card \"" + card->name + "\" uses itself.", "native.query");
    cards_.push_back(id);
    text("(");
    auto query = parse_query(card->dataset_query);
    if (query.is_native()) {
      auto inner = Filler(resolver_, std::get<NativeSource>(query.stages[0].source).query, query.parameters, cards_).fill();
      for (std::size_t i = 0; i < inner.pieces.size(); ++i) {
        auto& piece = inner.pieces[i];
        if (auto* sql = std::get_if<std::string>(&piece.content)) {
          if (i + 1 == inner.pieces.size()) trim_end(*sql);
          text(*sql);
        } else {
          result_.pieces.push_back(std::move(piece));
        }
      }
      text("\n");
    } else {
      result_.pieces.push_back({resolver_.resolve_card(std::move(query)), NativePiece::As::Query});
    }
    text(")");
    cards_.pop_back();
  }

  // A trailing semicolon would end the outer statement.
  static void trim_end(std::string& sql) {
    while (!sql.empty() && (static_cast<unsigned char>(sql.back()) <= ' ' || sql.back() == ';')) sql.pop_back();
  }

  Resolver& resolver_;
  const NativeQuery& query_;
  const json::array& parameters_;
  std::vector<CardId>& cards_;
  NativeText result_;
};

}  // namespace

NativeText Resolver::native_text(const NativeQuery& query, const json::array& parameters, std::vector<CardId>& cards) {
  return Filler(*this, query, parameters, cards).fill();
}

Expression Resolver::resolve_alone(const Stage& nothing, const Expression& clause) {
  Scope scope{nothing, {}, "native"};
  return value(scope, clause);
}

std::shared_ptr<const ResolvedStage> Resolver::resolve_card(Query query) {
  ResolveOptions own = options_;
  own.parameters.clear();
  own.max_results = own.max_results_bare = 0;
  own.remaps = false;
  if (card_depth_ > 10) invalid_query("Cards are built on cards too deeply.");
  ++card_depth_;
  PassContext context{catalog_, own};
  for (auto& pass : all_passes()) query = pass.rewrite(std::move(query), context);
  if (query.database != database_) invalid_query("The SQL uses a card of another database.");
  auto mine = std::move(parameters_);
  parameters_.clear();
  auto result = stages(query.stages, query.stages.size(), Position::Inner, "native").stage;
  parameters_ = std::move(mine);
  --card_depth_;
  return result;
}

}  // namespace basalt::query
