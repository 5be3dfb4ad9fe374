#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/digest.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

constexpr char kRequestId[] = "2b6f2a4e-6a0e-4b62-9c0e-0d9d0f3f7a11";

// Fingerprint of a request.
const std::string kThis = absl::BytesToHexString(Digest({"this"}));

class ForgetRequestsTest : public StoreTest {
 protected:
  void SetUp() override { ASSERT_TRUE(Publish(MakeArticle("post")).ok()); }

  NewComment MakeRequest() {
    NewComment comment = MakeComment("post", "once");
    comment.request = {kRequestId, kThis};
    return comment;
  }

  absl::StatusOr<int64_t> Forget(absl::Time before) {
    return Await<int64_t>([&](auto done) { store_->ForgetRequests({}, before, std::move(done)); });
  }
};

TEST_F(ForgetRequestsTest, ForgetsALimitedNumberOfOldRequestsAtATime) {
  Sql("INSERT INTO request SELECT 'post', gen_random_uuid(), '', NULL, now() - interval '2 days', "
      "1, 0 FROM generate_series(1, 1500)");
  ASSERT_TRUE(Create(MakeRequest()).ok());
  const absl::Time yesterday = absl::Now() - absl::Hours(24);
  EXPECT_EQ(*Forget(yesterday), 1000);
  EXPECT_EQ(*Forget(yesterday), 500);
  EXPECT_EQ(*Forget(yesterday), 0);
  EXPECT_EQ(Create(MakeRequest())->article_revision(), 2);
  EXPECT_EQ(GetOne("post").comment_count(), 1);
  Sql(absl::StrCat("DELETE FROM request WHERE request_id <> '", kRequestId, "'"));
  EXPECT_EQ(*Forget(absl::Now() + absl::Hours(1)), 1);
  EXPECT_EQ(Create(MakeRequest())->article_revision(), 3) << "it was forgotten, and done again";
}

TEST_F(ForgetRequestsTest, ConcurrentCallsForgetEachRequestOnce) {
  Sql("DELETE FROM request");  // the record of publishing the article
  Sql("INSERT INTO request SELECT 'post', gen_random_uuid(), '', NULL, now() - interval '2 days', "
      "1, 0 FROM generate_series(1, 5000)");
  std::atomic<int64_t> forgotten = 0;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 2; ++i) {
      callers.emplace_back([&] {
        for (int64_t some = 1; some > 0; forgotten += some) {
          some = Forget(absl::Now()).value_or(0);
        }
      });
    }
  }
  EXPECT_EQ(forgotten, 5000);
}

}  // namespace
}  // namespace content::store
