// `contentd policy check` as an operator runs it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "support/contentd.h"
#include "support/database.h"

namespace content::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kExample[] = CONTENT_SOURCE_DIR "/deploy/policy.yaml";

Finished Check(const std::string& file, const std::string& caller, const std::string& method) {
  return RunContentd({"policy", "check", file, caller, method});
}

TEST(PolicyCheckTest, SaysWhatTheExampleAllows) {
  const Finished allowed = Check(kExample, "jwt:alice", "ContentService/CreateComment");
  EXPECT_EQ(allowed.status, 0) << allowed.err;
  EXPECT_EQ(allowed.out,
            "allowed: jwt:alice content.v1.ContentService/CreateComment\n"
            "in callers: jwt:*\n"
            "its roles: reader, own-comments\n"
            "those with the method: own-comments\n"
            "calls_per_second: no limit\n"
            "comments_per_minute: 10\n"
            "writes_as: person\n");
  EXPECT_EQ(Check(kExample, "anonymous", "Health/Check").status, 0);
}

TEST(PolicyCheckTest, SaysWhatTheExampleDenies) {
  const Finished denied = Check(kExample, "jwt:mallory", "ContentService/CreateComment");
  EXPECT_EQ(denied.status, 3);
  EXPECT_THAT(denied.out, StartsWith("denied: jwt:mallory "));
  EXPECT_EQ(denied.err, "");
}

TEST(PolicyCheckTest, NamesTheLineThatIsWrong) {
  const std::string path = ScratchDirectory() + "/policy.yaml";
  std::ofstream(path) << "callers:\n  cn:web: [raeder]\n";
  const Finished broken = Check(path, "cn:web", "ContentService/GetArticle");
  EXPECT_EQ(broken.status, 1);
  EXPECT_EQ(broken.err, "contentd: " + path + ":2: there is no role raeder\n");
  EXPECT_EQ(Check(path + ".no", "cn:web", "ContentService/GetArticle").status, 1);
}

TEST(PolicyCheckTest, RefusesQuestionsThatHaveNoAnswer) {
  const Finished method = Check(kExample, "cn:web", "ContentService/GetArtikel");
  EXPECT_EQ(method.status, 2);
  EXPECT_THAT(method.err, HasSubstr("there is no method ContentService/GetArtikel"));
  EXPECT_EQ(Check(kExample, "web", "ContentService/GetArticle").status, 2);
  EXPECT_EQ(Check(kExample, "jwt:*", "ContentService/GetArticle").status, 2);
}

}  // namespace
}  // namespace content::testing
