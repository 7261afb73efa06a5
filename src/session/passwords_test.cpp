#include "session/passwords.h"

#include <crypt.h>
#include <gtest/gtest.h>

#include "base/failure.h"
#include "session/common_passwords.h"

namespace basalt::session {
namespace {

TEST(Passwords, a_hash_verifies_its_password_only) {
  Passwords passwords(PasswordRules{});
  auto hash = passwords.hash("correct horse 7");
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << hash;
  EXPECT_TRUE(passwords.verify("correct horse 7", hash));
  EXPECT_FALSE(passwords.verify("correct horse 8", hash));
  EXPECT_FALSE(passwords.verify("", hash));
  EXPECT_NE(hash, passwords.hash("correct horse 7")) << "every hash has a salt of its own";
}

TEST(Passwords, bcrypt_of_before_still_verifies) {
  Passwords passwords(PasswordRules{});
  auto data = std::make_unique<crypt_data>();
  std::string plain = crypt_r("old-password-1", "$2b$04$abcdefghijklmnopqrstuu", data.get());
  EXPECT_TRUE(passwords.verify("old-password-1", plain));
  EXPECT_FALSE(passwords.verify("old-password-2", plain));
  std::string salted = crypt_r("some-saltold-password-1", "$2a$04$abcdefghijklmnopqrstuu", data.get());
  EXPECT_TRUE(passwords.verify("old-password-1", "salted:some-salt:" + salted));
  EXPECT_FALSE(passwords.verify("old-password-1", "salted:other-salt:" + salted));
}

TEST(Passwords, what_is_no_hash_never_verifies) {
  Passwords passwords(PasswordRules{});
  for (auto* stored : {"", "x", "$2b$", "$argon2id$broken", "salted:", "salted:a", "plain"}) EXPECT_FALSE(passwords.verify("plain", stored)) << stored;
}

TEST(Passwords, rules_name_what_is_missing) {
  Passwords strong(PasswordRules::from("strong", 10));
  EXPECT_EQ(strong.objection("ab"), "password needs at least 10 characters, 2 upper-case letters, 1 digit and 1 special character.");
  EXPECT_EQ(strong.objection("abQR7-rivers"), std::nullopt);
  Passwords normal(PasswordRules::from("normal", {}));
  EXPECT_EQ(normal.objection("rivers"), "password needs at least 1 digit.");
  EXPECT_EQ(normal.objection("rivers7"), std::nullopt);
  EXPECT_EQ(normal.objection("password1"), "password is too common.");
  EXPECT_TRUE(normal.objection(std::string(2000, 'x') + "1"));
  Passwords weak(PasswordRules::from("weak", {}));
  EXPECT_EQ(weak.objection("rivers"), std::nullopt);
  EXPECT_THROW(PasswordRules::from("medium", {}), Failure);
  EXPECT_EQ(json::write(PasswordRules::from("normal", {}).to_json()), R"({"total":6,"digit":1})");
}

TEST(CommonPasswords, are_known_in_disguise) {
  for (auto* text : {"password", "P@ssw0rd", "Summer2024!", "123456", "qwerty", "1q2w3e4r", "111111", "121212", "admin123", "letmein!", "19800101", "abcdefgh"}) {
    EXPECT_TRUE(is_common_password(text)) << text;
  }
  for (auto* text : {"river otter 9", "Tq7-mossy", "blauwekoe12", "94710462518"}) EXPECT_FALSE(is_common_password(text)) << text;
}

}  // namespace
}  // namespace basalt::session
