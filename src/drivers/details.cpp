#include "drivers/details.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "base/failure.h"

namespace basalt::drivers {

std::string text_of(const json::object& details, std::string_view key) {
  auto* found = json::find(details, key);
  if (!found) return "";
  if (auto* text = found->if_string()) return std::string(*text);
  if (auto integer = json::as_integer(*found)) return std::to_string(*integer);
  return "";
}

bool flag_of(const json::object& details, std::string_view key) {
  auto* found = json::find(details, key);
  return found && ((found->is_bool() && found->get_bool()) || (found->is_string() && found->get_string() == "true"));
}

std::vector<std::pair<std::string, std::string>> options_of(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> options;
  if (text.starts_with('?')) text.remove_prefix(1);
  while (!text.empty()) {
    auto part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    auto equals = part.find('=');
    if (equals != std::string_view::npos) options.emplace_back(part.substr(0, equals), part.substr(equals + 1));
  }
  return options;
}

std::vector<std::string> names_of(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    auto part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    if (!part.empty()) names.emplace_back(part);
  }
  return names;
}

bool glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') { star = p++; mark = t; }
    else if (p < pattern.size() && pattern[p] == text[t]) { ++p; ++t; }
    else if (star != std::string_view::npos) { p = star + 1; t = ++mark; }
    else return false;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

MemoryFile::MemoryFile(std::string_view text) : descriptor_(::memfd_create("basalt-certificate", MFD_CLOEXEC)) {
  if (descriptor_ < 0 || ::write(descriptor_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw Failure(FailureKind::Unavailable, "The certificate could not be handed to the connection.");
}

MemoryFile::~MemoryFile() { ::close(descriptor_); }

}  // namespace basalt::drivers
