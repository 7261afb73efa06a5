#include "features/search/search.h"

#include <algorithm>
#include <cmath>

namespace basalt::features {
namespace {

using appdb::Connection;
using appdb::Row;
using permissions::CollectionRight;
using permissions::DataRight;
using permissions::Rights;

const std::vector<std::string> known_models{"dashboard", "card", "dataset", "metric", "collection", "table", "database"};

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  for (char c : text + " ") {
    if (c == ' ' || c == '\t' || c == '\n') {
      if (!word.empty() && words.size() < 10) words.push_back(word);
      word.clear();
    } else {
      word += c;
    }
  }
  return words;
}

bool is_ascii(std::string_view text) { return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; }); }

struct Hit {
  std::string model, name;   // the name in lower case
  double score = 0;
  std::int64_t id = 0;
  Row row;
};

// Keeps the best `wanted` hits in bounded memory, and counts all of them.
class Best {
 public:
  explicit Best(std::size_t wanted) : wanted_(wanted) {}
  void add(Hit hit) {
    ++total;
    models.insert(hit.model);
    hits_.push_back(std::move(hit));
    if (hits_.size() >= 2 * wanted_ + 256) trim();
  }
  std::vector<Hit> page(std::size_t offset) {
    trim();
    if (offset >= hits_.size()) return {};
    return std::vector<Hit>(std::make_move_iterator(hits_.begin() + static_cast<std::ptrdiff_t>(offset)), std::make_move_iterator(hits_.end()));
  }
  std::int64_t total = 0;
  std::set<std::string> models;

 private:
  void trim() {
    std::sort(hits_.begin(), hits_.end(), [](const Hit& a, const Hit& b) {
      if (a.score != b.score) return a.score > b.score;
      return std::tie(a.name, a.model, a.id) < std::tie(b.name, b.model, b.id);
    });
    if (hits_.size() > wanted_) hits_.erase(hits_.begin() + static_cast<std::ptrdiff_t>(wanted_), hits_.end());
  }
  const std::size_t wanted_;
  std::vector<Hit> hits_;
};

std::pair<std::optional<Timestamp>, std::optional<Timestamp>> time_range(const http::Request& request, const char* name) {
  auto text = request.query_value(name);
  if (!text || text->empty()) return {};
  auto split = text->find('~');
  auto read = [&](std::string part) -> std::optional<Timestamp> {
    if (part.empty()) return std::nullopt;
    auto at = parse_timestamp(part);
    if (!at) throw bad_field(name, "value must be a date, or two with ~ between them, such as 2024-01-01~2024-01-31.");
    return at;
  };
  auto from = read(text->substr(0, split));
  auto end_text = split == std::string::npos ? *text : text->substr(split + 1);
  auto to = read(end_text);
  if (to && end_text.size() == 10) *to += std::chrono::days(1);  // the whole last day
  return {from, to};
}

class Searcher {
 public:
  Searcher(Connection& connection, const Rights& rights, const SearchRequest& wanted, Timestamp now)
      : connection_(connection), rights_(rights), wanted_(wanted), now_(now), collections_(connection), text_(lower_utf8(wanted.text)), words_(words_of(text_)),
        best_(wanted.limit + wanted.offset) {
    connection.each("SELECT model, model_id FROM bookmark WHERE person_id = ?", {rights.person()}, [&](const Row& row) { bookmarks_.insert({row.text("model"), row.integer("model_id")}); });
    if (wanted.collection) {
      auto* top = collections_.find(CollectionId(*wanted.collection));
      if (!top) throw not_found();
      inside_.insert(top->id.value);
      for (auto* below : collections_.descendants(*top)) inside_.insert(below->id.value);
    }
  }

  json::object answer() {
    if (any({"card", "dataset", "metric"})) cards();
    if (any({"dashboard"})) dashboards();
    if (any({"collection"})) collections();
    if (any({"table"})) tables();
    if (any({"database"})) databases();
    json::array data, models, available;
    for (auto& hit : best_.page(wanted_.offset)) data.push_back(result(hit));
    for (auto& model : known_models) {
      if (best_.models.contains(model)) models.push_back(json::value(model));
      if (available_.contains(model)) available.push_back(json::value(model));
    }
    json::object out{{"data", std::move(data)}, {"total", best_.total}, {"limit", static_cast<std::int64_t>(wanted_.limit)}, {"offset", static_cast<std::int64_t>(wanted_.offset)},
                     {"models", std::move(models)}, {"table_db_id", json::or_null(wanted_.database)}, {"engine", "appdb"}};
    if (wanted_.available_models) out["available_models"] = std::move(available);
    return out;
  }

 private:
  bool asked(const std::string& model) const { return wanted_.models.empty() || wanted_.models.contains(model); }
  bool any(std::initializer_list<const char*> models) const {
    // Which kinds there would be is only known by looking at all of them.
    return wanted_.available_models || std::any_of(models.begin(), models.end(), [&](auto model) { return asked(model); });
  }

  // The words as a condition, for the engine to drop most rows; words beyond ASCII are compared here, since SQLite's lower() does not know them.
  void add_words(std::string& where, appdb::Parameters& parameters, const std::string& name, const std::string& description, const std::string& more = "") const {
    for (auto& word : words_) {
      if (!is_ascii(word)) continue;
      auto pattern = contains_pattern(word);
      where += " AND (lower(" + name + ") LIKE ? ESCAPE '\\' OR lower(coalesce(" + description + ", '')) LIKE ? ESCAPE '\\'";
      parameters.emplace_back(pattern);
      parameters.emplace_back(pattern);
      if (!more.empty()) { where += " OR (" + more + " LIKE ? ESCAPE '\\')"; parameters.emplace_back(pattern); }
      where += ")";
    }
  }

  bool in_place(std::optional<CollectionId> id) const {
    if (rights_.collection(id) == CollectionRight::None) return false;
    if (wanted_.collection && !(id && inside_.contains(id->value))) return false;
    if (wanted_.personal == SearchRequest::Personal::All) return true;
    auto* collection = id ? collections_.find(*id) : nullptr;
    auto owner = collection ? collections_.owner(*collection) : std::nullopt;
    switch (wanted_.personal) {
      case SearchRequest::Personal::Only: return owner.has_value();
      case SearchRequest::Personal::OnlyMine: return owner == rights_.person();
      case SearchRequest::Personal::Exclude: return !owner;
      case SearchRequest::Personal::ExcludeOthers: return !owner || *owner == rights_.person();
      case SearchRequest::Personal::All: break;
    }
    return true;
  }

  void consider(const std::string& model, const Row& row, bool matched_elsewhere = false) {
    if (!wanted_.ids.empty() && !wanted_.ids.contains(row.integer("id"))) return;
    auto name = lower_utf8(row.text("name"));
    double score = match_score(words_, text_, name, lower_utf8(row.optional_text("description").value_or("")));
    if (score <= 0) {
      if (!matched_elsewhere) return;
      score = 3;
    }
    available_.insert(model);
    if (!asked(model)) return;
    auto base = model == "dataset" || model == "metric" ? "card" : model.c_str();
    if (bookmarks_.contains({base, row.integer("id")})) score += 8;
    if (auto updated = row.optional_time("updated_at")) {
      auto days = std::chrono::duration_cast<std::chrono::hours>(now_ - *updated).count() / 24.0;
      score += 6.0 / (1.0 + std::max(0.0, days) / 30.0);
    }
    score += std::min(5.0, std::log1p(static_cast<double>(row.optional_integer("view_count").value_or(0))));
    if (!row.is_null("collection_position")) score += 3;
    score += model == "dashboard" ? 2.0 : model == "dataset" || model == "metric" ? 1.5 : model == "card" ? 1.0 : 0.0;
    best_.add({model, std::move(name), score, row.integer("id"), row});
  }

  void add_people_and_times(std::string& where, appdb::Parameters& parameters, const std::string& a) const {
    auto in = [&](const std::string& column, const std::set<std::int64_t>& ids) {
      if (ids.empty()) return;
      where += " AND " + a + "." + column + " IN (" + appdb::placeholders(ids.size()) + ")";
      for (auto id : ids) parameters.emplace_back(id);
    };
    in("creator_id", wanted_.created_by);
    in("last_editor_id", wanted_.edited_by);
    auto bound = [&](const std::string& column, const char* sign, const std::optional<Timestamp>& at) {
      if (at) { where += " AND " + a + "." + column + " " + sign + " ?"; parameters.emplace_back(*at); }
    };
    bound("created_at", ">=", wanted_.created_from);
    bound("created_at", "<", wanted_.created_to);
    bound("last_edited_at", ">=", wanted_.edited_from);
    bound("last_edited_at", "<", wanted_.edited_to);
  }
  // Filters on people and times mean things that people save.
  bool only_saved_things() const {
    return !wanted_.created_by.empty() || !wanted_.edited_by.empty() || wanted_.created_from || wanted_.created_to || wanted_.edited_from || wanted_.edited_to;
  }

  void cards() {
    std::string where = "c.archived = ?";
    appdb::Parameters parameters{wanted_.archived};
    if (wanted_.database) { where += " AND c.database_id = ?"; parameters.emplace_back(*wanted_.database); }
    if (!wanted_.displays.empty()) {
      where += " AND c.display IN (" + appdb::placeholders(wanted_.displays.size()) + ")";
      for (auto& display : wanted_.displays) parameters.emplace_back(display);
    }
    add_people_and_times(where, parameters, "c");
    add_words(where, parameters, "c.name", "c.description", wanted_.native_queries ? "c.query_type = 'native' AND lower(c.dataset_query)" : "");
    std::string native = wanted_.native_queries && !words_.empty() ? "CASE WHEN c.query_type = 'native' THEN c.dataset_query END" : "CAST(NULL AS TEXT)";
    connection_.each("SELECT c.id, c.name, c.description, c.kind, c.display, c.archived, c.collection_id, c.collection_position, c.database_id, c.table_id, c.dashboard_id, "
                     "owner.name AS dashboard_name, db.name AS database_name, c.creator_id, c.last_editor_id, c.last_edited_at, c.view_count, c.created_at, c.updated_at, " + native + " AS native_query, " +
                     person_columns("creator") + ", " + person_columns("editor") + " FROM card c LEFT JOIN dashboard owner ON owner.id = c.dashboard_id LEFT JOIN \"database\" db ON db.id = c.database_id "
                     "LEFT JOIN person creator ON creator.id = c.creator_id LEFT JOIN person editor ON editor.id = c.last_editor_id WHERE " + where, parameters, [&](const Row& row) {
      if (!in_place(row.optional_id<CollectionId>("collection_id"))) return;
      auto& kind = row.text("kind");
      bool in_sql = false;
      if (auto text = row.optional_text("native_query")) {
        auto lower = lower_utf8(*text);
        in_sql = std::all_of(words_.begin(), words_.end(), [&](auto& word) { return lower.find(word) != std::string::npos; });
      }
      consider(kind == "model" ? "dataset" : kind == "metric" ? "metric" : "card", row, in_sql);
    });
  }

  void dashboards() {
    if (wanted_.database || !wanted_.displays.empty()) return;
    std::string where = "d.archived = ?";
    appdb::Parameters parameters{wanted_.archived};
    add_people_and_times(where, parameters, "d");
    add_words(where, parameters, "d.name", "d.description");
    connection_.each("SELECT d.id, d.name, d.description, d.archived, d.collection_id, d.collection_position, d.creator_id, d.last_editor_id, d.last_edited_at, d.view_count, d.created_at, d.updated_at, " +
                     person_columns("creator") + ", " + person_columns("editor") + " FROM dashboard d LEFT JOIN person creator ON creator.id = d.creator_id "
                     "LEFT JOIN person editor ON editor.id = d.last_editor_id WHERE " + where, parameters, [&](const Row& row) {
      if (in_place(row.optional_id<CollectionId>("collection_id"))) consider("dashboard", row);
    });
  }

  void collections() {
    if (wanted_.database || only_saved_things() || !wanted_.displays.empty()) return;
    std::string where = "k.archived = ? AND k.namespace IS NULL";
    appdb::Parameters parameters{wanted_.archived};
    add_words(where, parameters, "k.name", "k.description");
    connection_.each("SELECT k.id, k.name, k.description, k.archived, k.authority_level, k.kind, k.location, k.created_at, k.updated_at, NULL AS collection_position, NULL AS view_count FROM collection k WHERE " + where,
                     parameters, [&](const Row& row) {
                       auto id = row.id<CollectionId>("id");
                       if (wanted_.collection && *wanted_.collection == id.value) return;
                       if (in_place(id)) consider("collection", row);
                     });
  }

  void tables() {
    if (wanted_.archived || only_saved_things() || !wanted_.displays.empty() || wanted_.collection) return;
    std::string where = "t.active = TRUE AND t.visibility_type IS NULL";
    appdb::Parameters parameters;
    if (wanted_.database) { where += " AND t.database_id = ?"; parameters.emplace_back(*wanted_.database); }
    // Both names are worth a hit: the one in the database and the one on the screen.
    for (auto& word : words_) {
      if (!is_ascii(word)) continue;
      where += " AND (lower(t.display_name) LIKE ? ESCAPE '\\' OR lower(t.name) LIKE ? ESCAPE '\\' OR lower(coalesce(t.description, '')) LIKE ? ESCAPE '\\')";
      for (int i = 0; i < 3; ++i) parameters.emplace_back(contains_pattern(word));
    }
    connection_.each("SELECT t.id, t.display_name AS name, coalesce(t.description, '') || ' ' || t.name AS description, t.description AS shown_description, t.name AS table_name, t.schema_name, t.database_id, "
                     "db.name AS database_name, t.initial_sync_status, t.view_count, t.created_at, t.updated_at, NULL AS collection_position FROM data_table t JOIN \"database\" db ON db.id = t.database_id WHERE " + where,
                     parameters, [&](const Row& row) {
                       if (rights_.table(row.id<DatabaseId>("database_id"), row.optional_text("schema_name"), row.id<TableId>("id")) != DataRight::None) consider("table", row);
                     });
  }

  void databases() {
    if (wanted_.archived || only_saved_things() || !wanted_.displays.empty() || wanted_.collection) return;
    std::string where = "1 = 1";
    appdb::Parameters parameters;
    if (wanted_.database) { where += " AND db.id = ?"; parameters.emplace_back(*wanted_.database); }
    add_words(where, parameters, "db.name", "db.description");
    connection_.each("SELECT db.id, db.name, db.description, db.initial_sync_status, db.created_at, db.updated_at, NULL AS collection_position, NULL AS view_count FROM \"database\" db WHERE " + where, parameters,
                     [&](const Row& row) { if (rights_.any_table(row.id<DatabaseId>("id"))) consider("database", row); });
  }

  json::object result(const Hit& hit) const {
    auto& row = hit.row;
    auto& model = hit.model;
    bool saved = model != "collection" && model != "table" && model != "database";
    bool is_card = saved && model != "dashboard";
    json::object collection{{"id", nullptr}, {"name", nullptr}, {"authority_level", nullptr}, {"type", nullptr}, {"is_personal", false}};
    auto place = saved ? row.optional_id<CollectionId>("collection_id") : model == "collection" ? std::optional(row.id<CollectionId>("id")) : std::nullopt;
    auto* found = place ? collections_.find(*place) : nullptr;
    if (found) collection = {{"id", found->id.value}, {"name", found->name}, {"authority_level", json::or_null(found->authority_level)}, {"type", json::or_null(found->kind)}, {"is_personal", collections_.is_personal(*found)}};
    auto person_name = [&](const char* alias) -> json::value {
      auto person = saved ? person_json(row, alias) : json::value(nullptr);
      return person.is_object() ? person.get_object()["common_name"] : json::value(nullptr);
    };
    auto base = is_card ? std::string("card") : model;
    json::object out{{"id", row.integer("id")}, {"name", row.text("name")}, {"model", model}, {"description", text_or_null(row, model == "table" ? "shown_description" : "description")},
        {"archived", saved || model == "collection" ? json::value(row.boolean("archived")) : json::value(nullptr)}, {"collection", std::move(collection)},
        {"collection_position", integer_or_null(row, "collection_position")}, {"bookmark", saved || model == "collection" ? json::value(bookmarks_.contains({base, row.integer("id")})) : json::value(nullptr)},
        {"database_id", is_card || model == "table" ? integer_or_null(row, "database_id") : model == "database" ? json::value(row.integer("id")) : json::value(nullptr)},
        {"database_name", is_card || model == "table" ? text_or_null(row, "database_name") : json::value(nullptr)},
        {"table_id", model == "table" ? json::value(row.integer("id")) : is_card ? integer_or_null(row, "table_id") : json::value(nullptr)},
        {"table_name", model == "table" ? json::value(row.text("table_name")) : json::value(nullptr)}, {"table_schema", model == "table" ? text_or_null(row, "schema_name") : json::value(nullptr)},
        {"table_description", nullptr}, {"display", is_card ? text_or_null(row, "display") : json::value(nullptr)}, {"moderated_status", nullptr},
        {"creator_id", saved ? integer_or_null(row, "creator_id") : json::value(nullptr)}, {"creator_common_name", person_name("creator")},
        {"created_at", text_or_null(row, "created_at")}, {"updated_at", text_or_null(row, "updated_at")},
        {"last_edited_at", saved ? text_or_null(row, "last_edited_at") : json::value(nullptr)}, {"last_editor_id", saved ? integer_or_null(row, "last_editor_id") : json::value(nullptr)},
        {"last_editor_common_name", person_name("editor")}, {"dashboardcard_count", nullptr}, {"dashboard", nullptr},
        {"initial_sync_status", model == "table" || model == "database" ? text_or_null(row, "initial_sync_status") : json::value(nullptr)},
        {"model_id", nullptr}, {"model_name", nullptr}, {"model_index_id", nullptr}, {"pk_ref", nullptr}, {"scores", json::array()}, {"context", nullptr},
        {"can_write", saved || model == "collection" ? rights_.collection(place) == CollectionRight::Curate : rights_.is_administrator()}};
    if (is_card && !row.is_null("dashboard_id")) out["dashboard"] = json::object{{"id", row.integer("dashboard_id")}, {"name", text_or_null(row, "dashboard_name")}, {"moderation_status", nullptr}};
    if (model == "collection" && found) {
      auto* parent = collections_.visible_parent(*found, rights_);
      out["effective_location"] = parent ? parent->place_of_children() : std::string("/");
      out["location"] = found->location;
      out["personal_owner_id"] = json::or_null(found->personal_owner);
    }
    out["scores"] = [&] { json::array scores; scores.push_back(json::object{{"name", "total"}, {"score", hit.score}}); return scores; }();
    return out;
  }

  Connection& connection_;
  const Rights& rights_;
  const SearchRequest& wanted_;
  const Timestamp now_;
  const Collections collections_;
  const std::string text_;
  const std::vector<std::string> words_;
  Best best_;
  std::set<std::string> available_;
  std::set<std::pair<std::string, std::int64_t>> bookmarks_;
  std::set<std::int64_t> inside_;
};

}  // namespace

double match_score(const std::vector<std::string>& words, std::string_view text, std::string_view name, std::string_view description) {
  if (words.empty()) return 1;
  if (name == text) return 100;
  std::size_t in_name = 0, at_word_start = 0;
  for (auto& word : words) {
    auto at = name.find(word);
    if (at == std::string_view::npos) {
      if (description.find(word) == std::string_view::npos) return 0;
      continue;
    }
    ++in_name;
    for (; at != std::string_view::npos; at = name.find(word, at + 1)) {
      auto before = at == 0 ? ' ' : name[at - 1];
      if (!((before >= 'a' && before <= 'z') || (before >= '0' && before <= '9') || static_cast<unsigned char>(before) >= 0x80)) { ++at_word_start; break; }
    }
  }
  if (in_name < words.size()) return 5.0 + 10.0 * static_cast<double>(in_name) / static_cast<double>(words.size());
  if (name.starts_with(text)) return 60;
  double closeness = 10.0 * static_cast<double>(text.size()) / static_cast<double>(std::max(name.size(), text.size()));
  return (at_word_start == words.size() ? 40.0 : 20.0) + closeness;
}

SearchRequest SearchRequest::from(const http::Request& request) {
  SearchRequest wanted;
  wanted.text = request.query_value("q").value_or("");
  auto first = wanted.text.find_first_not_of(" \t");
  wanted.text = first == std::string::npos ? "" : wanted.text.substr(first, wanted.text.find_last_not_of(" \t") - first + 1);
  if (wanted.text.size() > 500) throw bad_field("q", "value must be at most 500 characters long.");
  static const std::set<std::string> without_results{"segment", "measure", "action", "indexed-entity", "document", "transform"};
  for (auto& model : request.query_values("models")) {
    if (std::find(known_models.begin(), known_models.end(), model) == known_models.end() && !without_results.contains(model))
      throw bad_field("models", "value must be one of dashboard, card, dataset, metric, segment, measure, collection, table, database, action, indexed-entity, document, transform.");
    wanted.models.insert(model);
  }
  wanted.archived = request.query_flag("archived");
  wanted.native_queries = request.query_flag("search_native_query");
  wanted.available_models = request.query_flag("calculate_available_models");
  wanted.database = request.query_integer("table_db_id");
  wanted.collection = request.query_integer("collection");
  auto ids = [&](const char* name, std::set<std::int64_t>& into) {
    for (auto& text : request.query_values(name)) {
      auto value = json::try_parse(text);
      auto id = value ? json::as_integer(*value) : std::nullopt;
      if (!id || *id <= 0) throw bad_field(name, "value must be an integer greater than zero.");
      into.insert(*id);
    }
  };
  ids("created_by", wanted.created_by);
  ids("last_edited_by", wanted.edited_by);
  ids("ids", wanted.ids);
  for (auto& display : request.query_values("display_type")) wanted.displays.insert(display);
  auto personal = request.query_value("filter_items_in_personal_collection").value_or("all");
  if (personal == "only") wanted.personal = Personal::Only;
  else if (personal == "only-mine") wanted.personal = Personal::OnlyMine;
  else if (personal == "exclude") wanted.personal = Personal::Exclude;
  else if (personal == "exclude-others") wanted.personal = Personal::ExcludeOthers;
  else if (personal != "all") throw bad_field("filter_items_in_personal_collection", "value must be all, only, only-mine, exclude or exclude-others.");
  std::tie(wanted.created_from, wanted.created_to) = time_range(request, "created_at");
  std::tie(wanted.edited_from, wanted.edited_to) = time_range(request, "last_edited_at");
  auto number = [&](const char* name, std::int64_t otherwise, std::int64_t most) {
    auto value = request.query_integer(name).value_or(otherwise);
    if (value < 0) throw bad_field(name, "value must be an integer of zero or more.");
    return static_cast<std::size_t>(std::min(value, most));
  };
  wanted.limit = number("limit", 50, 1'000);
  wanted.offset = number("offset", 0, 100'000);
  return wanted;
}

json::object search(Connection& connection, const Rights& rights, const SearchRequest& wanted, Timestamp now) { return Searcher(connection, rights, wanted, now).answer(); }

}  // namespace basalt::features
