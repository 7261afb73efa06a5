#include "features/revisions/revisions.h"

#include <map>

#include "base/version.h"

namespace basalt::features {
namespace {

using appdb::Connection;
using appdb::Row;

const json::value& value_of(const json::object& state, std::string_view key) {
  static const json::value nothing = nullptr;
  auto* found = state.if_contains(key);
  return found ? *found : nothing;
}

std::string quoted_text(const json::value& value) {
  return value.is_string() ? "\"" + std::string(value.get_string()) + "\"" : json::write(value);
}

std::string counted(std::size_t n, const char* one, const char* many) {
  return n == 1 ? std::string("a ") + one : std::to_string(n) + " " + many;
}

// Entries of a list by their id, for telling added, removed and changed ones.
std::map<std::int64_t, json::value> by_id(const json::value& list) {
  std::map<std::int64_t, json::value> out;
  if (auto* items = list.if_array()) {
    for (auto& item : *items) {
      if (auto id = json::integer(item, "id")) out[*id] = item;
    }
  }
  return out;
}

void list_changes(const json::value& before, const json::value& after, const char* one, const char* many, std::vector<std::string>& out) {
  auto old_items = by_id(before), new_items = by_id(after);
  std::size_t added = 0, removed = 0, placed = 0, changed = 0;
  for (auto& [id, item] : new_items) {
    auto old = old_items.find(id);
    if (old == old_items.end()) { ++added; continue; }
    if (old->second == item) continue;
    auto without_place = [](json::value v) {
      if (auto* o = v.if_object()) { for (auto key : {"row", "col", "size_x", "size_y", "position"}) o->erase(key); }
      return v;
    };
    if (without_place(old->second) == without_place(item)) ++placed; else ++changed;
  }
  for (auto& [id, item] : old_items) removed += !new_items.contains(id);
  if (added) out.push_back("added " + counted(added, one, many));
  if (removed) out.push_back("removed " + counted(removed, one, many));
  if (placed) out.push_back(std::string("rearranged the ") + many);
  if (changed) out.push_back("changed " + counted(changed, one, many));
}

json::object user_json(const Row& row) {
  auto person = person_json(row, "author");
  return person.is_object() ? person.get_object() : json::object{{"id", nullptr}, {"common_name", "Somebody who is gone"}, {"first_name", nullptr}, {"last_name", nullptr}};
}

std::string sentence_of(const std::vector<std::string>& parts) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i) out += i + 1 == parts.size() ? " and " : ", ";
    out += parts[i];
  }
  return out + ".";
}

}  // namespace

json::object state_difference(const json::object& before, const json::object& after) {
  json::object old_values, new_values;
  for (auto& [key, value] : after) {
    if (value_of(before, key) == value) continue;
    old_values[key] = value_of(before, key);
    new_values[key] = value;
  }
  for (auto& [key, value] : before) {
    if (after.contains(key) || value.is_null()) continue;
    old_values[key] = value;
    new_values[key] = nullptr;
  }
  return {{"before", std::move(old_values)}, {"after", std::move(new_values)}};
}

std::vector<std::string> difference_sentences(std::string_view model, const json::object& before, const json::object& after) {
  std::vector<std::string> out;
  auto differs = [&](std::string_view key) { return value_of(before, key) != value_of(after, key); };
  if (differs("name")) out.push_back("renamed this from " + quoted_text(value_of(before, "name")) + " to " + quoted_text(value_of(after, "name")));
  if (differs("archived")) out.push_back(value_of(after, "archived") == json::value(true) ? "put this in the trash" : "took this out of the trash");
  else if (differs("collection_id")) out.push_back("moved this to another collection");
  if (differs("description")) {
    out.push_back(value_of(after, "description").is_null() ? "removed the description" : value_of(before, "description").is_null() ? "added a description" : "changed the description");
  }
  if (model == "card") {
    if (differs("type")) out.push_back("turned this into a " + (value_of(after, "type").is_string() ? std::string(value_of(after, "type").get_string()) : "question"));
    if (differs("dataset_query")) out.push_back("edited the query");
    if (differs("display")) out.push_back("changed the display from " + quoted_text(value_of(before, "display")) + " to " + quoted_text(value_of(after, "display")));
    else if (differs("visualization_settings")) out.push_back("changed the visualization settings");
    if (differs("parameters") || differs("parameter_mappings")) out.push_back("changed the parameters");
    if (!differs("dataset_query") && differs("result_metadata")) out.push_back("edited the columns' descriptions");
  } else {
    list_changes(value_of(before, "dashcards"), value_of(after, "dashcards"), "card", "cards", out);
    list_changes(value_of(before, "tabs"), value_of(after, "tabs"), "tab", "tabs", out);
    if (differs("parameters")) out.push_back("changed the filters");
    if (differs("width")) out.push_back("changed the width");
    if (differs("auto_apply_filters")) out.push_back(value_of(after, "auto_apply_filters") == json::value(true) ? "turned on applying filters at once" : "turned off applying filters at once");
  }
  if (differs("collection_position")) out.push_back(value_of(after, "collection_position").is_null() ? "unpinned this" : value_of(before, "collection_position").is_null() ? "pinned this" : "moved the pin");
  if (differs("cache_ttl")) out.push_back("changed how long results are kept");
  if (differs("enable_embedding") || differs("embedding_params")) out.push_back("changed the embedding");
  if (out.empty() && before != after) out.push_back("changed some details");
  return out;
}

void add_revision(Connection& connection, const NewRevision& revision, Timestamp now) {
  std::string model(revision.model);
  auto insert = [&](const json::object& state, RevisionKind kind, const std::optional<std::string>& message) {
    connection.insert("revision", {{"model", model}, {"model_id", revision.model_id}, {"person_id", revision.person}, {"object", state},
        {"is_creation", kind == RevisionKind::Creation}, {"is_reversion", kind == RevisionKind::Reversion}, {"message", message},
        {"saved_by_version", version()}, {"created_at", now}});
  };
  auto last = connection.query_one("SELECT object FROM revision WHERE model = ? AND model_id = ? ORDER BY id DESC LIMIT 1", {model, revision.model_id});
  if (!last && revision.before && revision.kind != RevisionKind::Creation) insert(*revision.before, RevisionKind::Creation, std::nullopt);
  else if (last && revision.before && last->json("object") != json::value(*revision.before)) {
    // Changed past the history (an import, a bulk move): keep what is overwritten now.
    insert(*revision.before, RevisionKind::Change, std::nullopt);
  }
  if (revision.kind == RevisionKind::Change && revision.before && *revision.before == *revision.after) return;
  insert(*revision.after, revision.kind, revision.message);
  connection.execute("DELETE FROM revision WHERE model = ? AND model_id = ? AND id NOT IN "
                     "(SELECT id FROM (SELECT id FROM revision WHERE model = ? AND model_id = ? ORDER BY id DESC LIMIT ?) newest)",
                     {model, revision.model_id, model, revision.model_id, revisions_kept});
}

json::array revisions_json(Connection& connection, std::string_view model, std::int64_t id) {
  auto rows = connection.query("SELECT r.id, r.object, r.is_creation, r.is_reversion, r.message, r.saved_by_version, r.created_at, " + person_columns("author") +
                               " FROM revision r LEFT JOIN person author ON author.id = r.person_id WHERE r.model = ? AND r.model_id = ? ORDER BY r.id DESC", {model, id});
  json::array out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto& row = rows[i];
    auto state = object_or_empty(row, "object");
    json::value difference = nullptr;
    bool creation = row.boolean("is_creation"), reversion = row.boolean("is_reversion");
    std::vector<std::string> sentences;
    if (i + 1 < rows.size()) {
      auto before = object_or_empty(rows[i + 1], "object");
      difference = state_difference(before.get_object(), state.get_object());
      sentences = difference_sentences(model, before.get_object(), state.get_object());
    }
    std::string description = creation ? "created this." : reversion ? "reverted to an earlier version." : sentences.empty() ? "saved this." : sentence_of(sentences);
    out.push_back(json::object{{"id", row.integer("id")}, {"is_creation", creation}, {"is_reversion", reversion}, {"message", text_or_null(row, "message")},
        {"user", user_json(row)}, {"diff", std::move(difference)}, {"has_multiple_changes", sentences.size() > 1}, {"description", description},
        {"timestamp", row.text("created_at")}, {"metabase_version", text_or_null(row, "saved_by_version")}});
  }
  return out;
}

json::object revision_state(Connection& connection, std::string_view model, std::int64_t id, RevisionId revision) {
  auto row = connection.query_one("SELECT object FROM revision WHERE id = ? AND model = ? AND model_id = ?", {revision, model, id});
  if (!row) throw not_found();
  return object_or_empty(*row, "object").get_object();
}

}  // namespace basalt::features
