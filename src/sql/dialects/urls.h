// Parts of an address of the web or of mail, as patterns that PostgreSQL and RE2 understand alike (no braces: they stand in
// templates). Of "https://www.mail.shop.co.uk:80/a/b?c": host "shop.co.uk", domain "shop", subdomain "mail", path "/a/b".
#pragma once
#include <string>

namespace basalt::sql::urls {

// In the first group: the whole name of the machine, and the path.
inline const std::string name = "'^(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:[^/?#@]*@)?([^/?#:]+)'";
inline const std::string path = "'^(?:[A-Za-z][A-Za-z0-9+.-]*://)?[^/?#]+(/[^?#]*)'";
// Of that name: in the first group the domain with its ending, the domain alone.
inline const std::string ending = "(?:(?:com|co|net|org|gov|edu|ac|or|ne|go|gob|gouv|mil)\\.[a-z][a-z]|[^.]+)";
inline const std::string host = "'([^.]+\\." + ending + ")$'";
inline const std::string domain = "'([^.]+)\\." + ending + "$'";
// What has to go for the subdomain to be left; then a www at its start.
inline const std::string not_subdomain = "'\\.?[^.]+\\." + ending + "$'";
inline const std::string www = "'^www(\\.|$)'";

// `of_name`: SQL of the name of the machine in small letters.
inline std::string subdomain(const std::string& of_name) {
  return "CASE WHEN " + of_name + " LIKE '%.%' THEN REGEXP_REPLACE(REGEXP_REPLACE(" + of_name + ", " + not_subdomain + ", ''), " + www + ", '') END";
}

}  // namespace basalt::sql::urls
