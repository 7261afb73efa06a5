#include "migrations/reshape.h"

namespace basalt::migrations {
namespace {

using Path = std::vector<std::string>;

json::value* at(json::value& document, const Path& path) {
  json::value* here = &document;
  for (auto& key : path) {
    auto* object = here->if_object();
    here = object ? object->if_contains(key) : nullptr;
    if (!here) return nullptr;
  }
  return here;
}

// Puts a value, making objects on the way; false when something that is no object stands in the way or the place is taken.
bool put(json::value& document, const Path& path, json::value value) {
  json::value* here = &document;
  for (std::size_t i = 0; i < path.size(); ++i) {
    auto* object = here->if_object();
    if (!object) return false;
    auto* next = object->if_contains(path[i]);
    if (i + 1 == path.size()) {
      if (next) return false;
      (*object)[path[i]] = std::move(value);
      return true;
    }
    if (!next) next = &((*object)[path[i]] = json::object{});
    here = next;
  }
  return false;
}

bool can_put(json::value& document, const Path& path) {
  json::value* here = &document;
  for (std::size_t i = 0; i < path.size(); ++i) {
    auto* object = here->if_object();
    if (!object) return false;
    auto* next = object->if_contains(path[i]);
    if (!next) return true;
    if (i + 1 == path.size()) return false;
    here = next;
  }
  return false;
}

// Takes a value out, and the objects that become empty by it.
std::optional<json::value> take(json::value& document, const Path& path) {
  auto* found = at(document, path);
  if (!found || path.empty()) return std::nullopt;
  json::value out = std::move(*found);
  Path parent = path;
  while (!parent.empty()) {
    auto key = parent.back();
    parent.pop_back();
    auto* object = at(document, parent)->if_object();
    object->erase(key);
    if (!object->empty()) break;
  }
  return out;
}

void move_value(json::value& document, const Path& from, const Path& to) {
  if (!at(document, from) || !can_put(document, to)) return;
  put(document, to, *take(document, from));
}

void run(json::value& document, const JsonChange& change, Direction direction) {
  bool up = direction == Direction::Up;
  switch (change.kind) {
    case JsonChange::Kind::Move:
      up ? move_value(document, change.from, change.to) : move_value(document, change.to, change.from);
      break;
    case JsonChange::Kind::Preset: {
      Path parent = change.to;
      parent.pop_back();
      auto* home = at(document, parent);
      if (!home || !home->is_object()) break;
      auto* found = home->as_object().if_contains(change.to.back());
      if (up && !found) home->as_object()[change.to.back()] = change.value;
      if (!up && found && *found == change.value) take(document, change.to);
      break;
    }
    case JsonChange::Kind::Added:
      if (!up) take(document, change.to);
      break;
    case JsonChange::Kind::Split:
      if (up) {
        auto* found = at(document, change.from);
        if (!found || !found->is_string()) break;
        std::string text(found->as_string());
        auto cut = text.find(change.separator);
        if (cut == std::string::npos || !can_put(document, change.to) || !can_put(document, change.rest)) break;
        take(document, change.from);
        put(document, change.to, json::value(text.substr(0, cut)));
        put(document, change.rest, json::value(text.substr(cut + change.separator.size())));
      } else {
        auto *first = at(document, change.to), *second = at(document, change.rest);
        if (!first || !second || !first->is_string() || !second->is_string() || !can_put(document, change.from)) break;
        std::string text = std::string(first->as_string()) + change.separator + std::string(second->as_string());
        take(document, change.to);
        take(document, change.rest);
        put(document, change.from, json::value(text));
      }
      break;
  }
}

json::value patch_between(const json::value& made, const json::value& wanted) {
  auto *from = made.if_object(), *to = wanted.if_object();
  if (!from || !to) return wanted;
  json::object patch;
  for (auto& [key, value] : *from)
    if (!to->contains(key)) patch[key] = nullptr;
  for (auto& [key, value] : *to) {
    auto* old = from->if_contains(key);
    if (old && *old == value) continue;
    patch[key] = old ? patch_between(*old, value) : value;
  }
  return patch;
}

const json::value* child(const json::value* v, std::string_view key) {
  auto* object = v ? v->if_object() : nullptr;
  return object ? object->if_contains(key) : nullptr;
}

// Same tokens, whatever the blanks: then nothing was lost by reading it.
bool read_without_loss(std::string_view text, const json::value& tree) {
  std::string packed;
  bool inside = false, escaped = false;
  for (char c : text) {
    if (inside) {
      if (escaped) escaped = false;
      else if (c == '\\') escaped = true;
      else if (c == '"') inside = false;
    } else if (c == '"') {
      inside = true;
    } else if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
      continue;
    }
    packed += c;
  }
  return packed == json::write(tree);
}

// Most documents have none of the keys that a change is about: then there is nothing to read. Says true when in doubt.
bool may_concern(const std::string& text, const std::vector<JsonChange>& changes) {
  if (text.find("\\u") != std::string::npos) return true;  // a key may be written in another way
  auto has = [&](const Path& path) { return !path.empty() && text.find('"' + path.front() + '"') != std::string::npos; };
  for (auto& change : changes)
    if ((change.kind == JsonChange::Kind::Preset && change.to.size() == 1) || has(change.from) || has(change.to) || has(change.rest)) return true;
  return false;
}

bool same(const json::value* a, const json::value* b) { return a && b ? *a == *b : a == b; }

void merge_careful(json::value& target, const json::value* shown, const json::value& patch, bool& all) {
  if (!target.is_object()) {
    all = false;
    return;
  }
  for (auto& [key, change] : patch.as_object()) {
    auto* here = child(&target, key);
    auto* there = child(shown, key);
    if (change.is_object() && here && here->is_object() && there && there->is_object()) {
      merge_careful(target.as_object()[key], there, change, all);
    } else if (same(here, there)) {
      if (change.is_null()) target.as_object().erase(key);
      else target.as_object()[key] = merged(here ? *here : json::value(nullptr), change);
    } else {
      all = false;
    }
  }
}

}  // namespace

json::value reshaped(json::value document, const std::vector<JsonChange>& changes, Direction direction) {
  if (!document.is_object()) return document;
  if (direction == Direction::Up) for (auto& change : changes) run(document, change, direction);
  else for (auto it = changes.rbegin(); it != changes.rend(); ++it) run(document, *it, direction);
  return document;
}

std::optional<json::value> lost_by(const json::value& document, const std::string& text, const json::value& made, const std::vector<JsonChange>& changes, Direction direction) {
  bool lossless = read_without_loss(text, document);
  auto back = reshaped(made, changes, direction == Direction::Up ? Direction::Down : Direction::Up);
  if (lossless && back == document) return std::nullopt;
  auto patch = lossless ? merge_patch(back, document) : std::nullopt;
  return patch ? json::object{{"patch", *patch}} : json::object{{"text", text}};
}

ReshapedText reshaped_text(const std::string& text, const std::vector<JsonChange>& changes, Direction direction) {
  ReshapedText out;
  if (!may_concern(text, changes)) return out;
  auto document = json::try_parse(text);
  if (!document || !document->is_object()) return out;
  out.document = reshaped(*document, changes, direction);
  bool same = out.document == *document;
  if (same && reshaped(out.document, changes, direction == Direction::Up ? Direction::Down : Direction::Up) == *document) {
    out.document = nullptr;
    return out;
  }
  if (!same) out.text = json::write(out.document);
  out.lost = lost_by(*document, text, out.document, changes, direction);
  return out;
}

json::value merged(json::value target, const json::value& patch) {
  auto* changes = patch.if_object();
  if (!changes) return patch;
  if (!target.is_object()) target = json::object{};
  for (auto& [key, value] : *changes) {
    if (value.is_null()) target.as_object().erase(key);
    else {
      auto& place = target.as_object()[key];
      place = merged(std::move(place), value);
    }
  }
  return target;
}

std::optional<json::value> merge_patch(const json::value& made, const json::value& wanted) {
  if (!made.is_object() || !wanted.is_object()) return std::nullopt;
  auto patch = patch_between(made, wanted);
  if (merged(made, patch) != wanted) return std::nullopt;
  return patch;
}

CarefulMerge merged_where_untouched(json::value edited, const json::value& shown, const json::value& patch) {
  CarefulMerge out{std::move(edited), true};
  if (!patch.is_object()) return {std::move(out.document), false};
  merge_careful(out.document, &shown, patch, out.all);
  return out;
}

}  // namespace basalt::migrations
