#include "session/common_passwords.h"

#include <algorithm>
#include <string>

namespace basalt::session {
namespace {

// Lower case; what is left of a password once digits and signs around it are gone and look-alikes are letters.
constexpr std::string_view words[] = {
    "aaa", "aaaa", "aaaaa", "aaaaaa", "aaaaaaaa", "aaron", "abc", "abcabc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh", "abigail", "access",
    "account", "adidas", "admin", "admina", "administrator", "adobe", "adrian", "alex", "alexander", "alexandra", "alexis", "amanda", "amber", "america",
    "analytics", "andrea", "andrew", "angel", "angela", "angels", "animal", "anthony", "apple", "apples", "april", "arsenal", "asdf", "asdfasdf", "asdfgh",
    "asdfghjk", "asdfghjkl", "ashley", "asshole", "august", "austin", "autumn", "azerty", "azertyuiop", "bailey", "banana", "bandit", "barcelona",
    "barney", "basalt", "baseball", "basketball", "batman", "beach", "bear", "beautiful", "beer", "benjamin", "berlin", "bigdog", "bill", "billy", "bismillah",
    "bitch", "black", "blahblah", "blessed", "blink", "blue", "bond", "boomer", "booboo", "boston", "brandon", "brandy", "brian", "brooklyn", "bubbles", "buddy", "bulldog",
    "business", "buster", "butter", "butterfly", "california", "camaro", "cameron", "canada", "captain", "carlos", "caroline", "charles", "charlie", "charlotte",
    "cheese", "chelsea", "cherry", "chester", "chicago", "chicken", "chocolate", "chris", "christian", "christina", "christopher", "claire", "coffee", "compaq", "company", "computer",
    "cookie", "cookies", "cooper", "corvette", "cowboy", "cowboys", "crystal", "dakota", "dallas", "daniel", "daniela", "danielle", "dashboard", "data", "database", "david", "december", "default", "demo", "dennis",
    "diablo", "diamond", "dolphin", "dolphins", "dragon", "eagle", "eagles", "edward", "elizabeth", "eminem", "england", "enter", "eric", "estrella", "everton", "family",
    "february", "fender", "ferrari", "fishing", "flower", "flowers", "football", "forever", "france", "freedom", "friday", "friend", "friends", "fuck", "fuckme", "fuckoff", "fuckyou", "gabriel", "gandalf",
    "garfield", "gateway", "george", "german", "germany", "ginger", "golfer", "google", "green", "guest", "guitar", "gunner", "hahaha", "hammer", "hannah", "happy", "harley",
    "hello", "hellokitty", "hockey", "hottie", "house", "hunter", "iceman", "iloveu", "iloveyou", "internet", "isabella", "jackson", "jackie", "jaguar", "james", "january", "jasmine", "jason", "jennifer", "jeremy",
    "jessica", "jesus", "john", "johnny", "jonathan", "jordan", "joseph", "joshua", "julian", "july", "june", "justin", "karen", "katie", "kevin", "killer", "kimberly", "king", "knight", "lakers",
    "lauren", "letmein", "letmeinn", "liverpool", "login", "london", "love", "lovely", "loveme", "lover", "lovers", "maggie", "magic", "manager", "manchester", "march", "maria", "marina", "marlboro", "martin", "marvin",
    "master", "matrix", "matthew", "maverick", "maxwell", "melissa", "mercedes", "merlin", "metabase", "michael", "michelle", "mickey", "midnight", "miller", "mistress", "monday", "money", "monkey", "monster",
    "morgan", "mother", "mountain", "mustang", "mypass", "mypassword", "naruto", "natasha", "nathan", "newpass", "newpassword", "nicholas", "nicole", "ninja", "nirvana", "nopass", "nothing", "november", "october", "office", "oliver", "orange", "owner", "pass", "passpass", "passw",
    "passwd", "passwort", "password", "passwords", "patrick", "peanut", "pepper", "phoenix", "player", "pokemon", "porsche", "postgres", "power", "prince", "princess", "private", "purple",
    "pussy", "qazwsx", "qazwsxedc", "qqqqqq", "qwer", "qwert", "qwerty", "qwertyu", "qwertyui", "qwertyuiop", "rabbit", "rachel", "raiders", "rainbow", "ranger", "rangers",
    "rebecca", "redsox", "report", "reports", "richard", "robert", "rocket", "ronaldo", "root", "rosebud", "runner", "samantha", "sample", "samsung", "samuel", "sandra", "saturday", "scooby", "scooter",
    "scorpion", "secret", "secure", "september", "server", "service", "sexy", "shadow", "shannon", "shelby", "silver", "simple", "skywalker", "slayer", "slipknot", "smokey", "snoopy", "soccer", "sophie",
    "spanky", "sparky", "spider", "spiderman", "spring", "square", "star", "startrek", "starwars", "steelers", "steven", "sticky", "stupid", "summer", "sunday", "sunshine", "super", "superman", "support", "sysadmin", "system", "taylor", "temp", "temppass", "tennis", "test",
    "tester", "testing", "testpass", "testtest", "thomas", "thunder", "thursday", "tigers", "tigger", "tinkerbell", "toor", "toyota", "travis", "trustno", "tuesday", "turtle", "twitter", "user", "username", "vanessa", "victoria", "viking", "vincent", "voodoo",
    "warrior", "wednesday", "welcome", "welcom", "whatever", "william", "willow", "windows", "winner", "winston", "winter", "wizard", "wsxqaz", "xavier", "xxxxxx", "yamaha", "yankee", "yankees", "yellow", "zaqwsx", "zxcvbn", "zxcvbnm", "zzzzzz",
};

char plain(char c) {
  switch (c) {
    case '0': return 'o';
    case '1': case '!': return 'i';
    case '3': return 'e';
    case '4': case '@': return 'a';
    case '5': case '$': return 's';
    case '7': return 't';
    default: return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool known(const std::string& word) {
  return std::find(std::begin(words), std::end(words), std::string_view(word)) != std::end(words);
}

std::string lettered(std::string_view text) {
  std::string out;
  for (char c : text) out += plain(c);
  return out;
}

// Keyboard rows and counting, forwards and back: "123456", "87654321", "1q2w3e4r".
bool is_run(std::string_view text) {
  static constexpr std::string_view rows[] = {"01234567890123456789", "98765432109876543210", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "1qaz2wsx3edc4rfv5tgb", "qwertyuiopasdfghjklzxcvbnm"};
  std::string lower;
  for (char c : text) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  for (auto row : rows) {
    if (row.find(lower) != std::string_view::npos) return true;
  }
  // One or two characters again and again: "111111", "121212".
  for (std::size_t period : {1, 2, 3}) {
    bool repeats = lower.size() >= 2 * period;
    for (std::size_t i = period; repeats && i < lower.size(); ++i) repeats = lower[i] == lower[i - period];
    if (repeats) return true;
  }
  return false;
}

}  // namespace

bool is_common_password(std::string_view password) {
  if (is_run(password)) return true;
  if (known(lettered(password))) return true;
  // "Summer2024!", "123admin": the word between digits and signs, plain and with its look-alikes read as letters.
  auto first = std::find_if(password.begin(), password.end(), is_letter);
  auto last = std::find_if(password.rbegin(), password.rend(), is_letter).base();
  if (first >= last) {
    // Only digits and signs: short ones are dates and phone numbers.
    return password.size() <= 8;
  }
  std::string core(first, last);
  if (known(lettered(core))) return true;
  std::string_view tail = password;
  while (!tail.empty() && tail.back() >= '0' && tail.back() <= '9') tail.remove_suffix(1);
  if (known(lettered(tail))) return true;
  while (!tail.empty() && (tail.back() == '!' || tail.back() == '.' || tail.back() == '?' || tail.back() == '#' || tail.back() == '*' || tail.back() == '-' || tail.back() == '_' || tail.back() == '@')) tail.remove_suffix(1);
  return known(lettered(tail));
}

}  // namespace basalt::session
