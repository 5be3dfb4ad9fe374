// BatchGetArticles over reads that are answered when the test says so.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/decode.h"
#include "api/handlers.h"
#include "content/errors.h"
#include "content/names.h"
#include "content/rules.h"

namespace content::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ArticleAnswer MakeAnswer(const std::string& id, size_t body_size = 0) {
  v1::Article article;
  article.set_name(ArticleName(id));
  article.set_body(std::string(body_size, 'x'));
  ArticleAnswer answer;
  answer.text = std::make_shared<const std::string>(article.SerializeAsString());
  answer.size = answer.text->size();
  return answer;
}

class ScriptedReads final : public ReadCache {
 public:
  struct Question {
    std::string id;
    CallContext context;
    Callback<ArticleAnswer> done;
  };

  void GetArticle(CallContext context, std::string id, v1::ArticleView, int64_t,
                  Callback<ArticleAnswer> done) override {
    if (const auto known = at_once.find(id); known != at_once.end()) {
      return std::move(done)(known->second);
    }
    questions.push_back({std::move(id), std::move(context), std::move(done)});
  }

  void GetPage(CallContext, PageRequest, LoadPage, Callback<PageAnswer>) override { ADD_FAILURE(); }

  v1::CacheInfo GetInfo() override { return {}; }

  void Answer(size_t question, absl::StatusOr<ArticleAnswer> answer) {
    std::move(questions[question].done)(std::move(answer));
  }

  std::map<std::string, absl::StatusOr<ArticleAnswer>> at_once;
  std::vector<Question> questions;
};

class BatchOfArticles : public ::testing::Test {
 protected:
  void Get(const std::vector<std::string>& ids, bool allow_missing = false) {
    v1::BatchGetArticlesRequest request;
    for (const std::string& id : ids) request.add_names(ArticleName(id));
    request.set_allow_missing(allow_missing);
    handlers::BatchGetArticles(reads_, {}, request, [this](absl::StatusOr<EncodedAnswer> answer) {
      EXPECT_FALSE(answer_) << "answered twice";
      answer_ = std::move(answer);
    });
  }

  absl::Status status() const { return answer_ ? answer_->status() : absl::UnknownError("waits"); }

  v1::BatchGetArticlesResponse Response() const {
    v1::BatchGetArticlesResponse response;
    if (!status().ok()) {
      ADD_FAILURE() << status();
      return response;
    }
    std::string bytes;
    std::vector<grpc::Slice> slices;
    EXPECT_TRUE(Encode(**answer_).Dump(&slices).ok());
    for (const grpc::Slice& slice : slices) {
      bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    EXPECT_TRUE(response.ParseFromString(bytes));
    return response;
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    const v1::BatchGetArticlesResponse response = Response();
    for (const v1::Article& article : response.articles()) names.push_back(article.name());
    return names;
  }

  ScriptedReads reads_;
  std::optional<absl::StatusOr<EncodedAnswer>> answer_;
};

TEST_F(BatchOfArticles, IsInTheOrderOfItsRequestWheneverTheAnswersCome) {
  reads_.at_once.insert({"b", MakeAnswer("b")});
  Get({"c", "a", "b", "c"});
  ASSERT_EQ(reads_.questions.size(), 3U);
  reads_.Answer(2, MakeAnswer("c"));
  reads_.Answer(1, MakeAnswer("a"));
  EXPECT_EQ(status().message(), "waits");
  reads_.Answer(0, MakeAnswer("c"));
  EXPECT_THAT(Names(), ElementsAre("articles/c", "articles/a", "articles/b", "articles/c"));
}

TEST_F(BatchOfArticles, NamesWhatIsMissingInTheOrderOfTheRequest) {
  reads_.at_once.insert({"y", ArticleNotFound("articles/y")});
  Get({"x", "a", "y", "x"}, true);
  reads_.Answer(2, ArticleNotFound("articles/x"));
  reads_.Answer(1, MakeAnswer("a"));
  reads_.Answer(0, ArticleNotFound("articles/x"));
  EXPECT_THAT(Names(), ElementsAre("articles/a"));
  EXPECT_THAT(Response().missing_names(), ElementsAre("articles/x", "articles/y", "articles/x"));
}

TEST_F(BatchOfArticles, FailsForTheFirstThatIsMissing) {
  Get({"a", "x", "y"});
  reads_.Answer(2, ArticleNotFound("articles/y"));
  reads_.Answer(0, MakeAnswer("a"));
  reads_.Answer(1, ArticleNotFound("articles/x"));
  EXPECT_EQ(status().message(), "articles/x does not exist");
}

TEST_F(BatchOfArticles, FailsAtOnceWithAnyOtherErrorAndAsksNoFurther) {
  reads_.at_once.insert({"b", Overloaded(absl::Seconds(1))});
  Get({"a", "b", "c"}, true);
  EXPECT_EQ(ReasonOf(status()), "OVERLOADED");
  ASSERT_EQ(reads_.questions.size(), 1U);
  EXPECT_TRUE(reads_.questions[0].context.cancelled());
  reads_.Answer(0, MakeAnswer("a"));  // to nobody
}

TEST_F(BatchOfArticles, MayBeAsLargeAsAReply) {
  const ArticleAnswer large = MakeAnswer("a", 1 << 20);
  const size_t left = kMaxReplyBytes - 2 * large.size;
  ArticleAnswer last = MakeAnswer("a", 1000);
  last = MakeAnswer("a", left - (last.size - 1000) - 1);  // whose length takes a byte more
  ASSERT_EQ(2 * large.size + last.size, kMaxReplyBytes);
  Get({"a", "b", "c"});
  reads_.Answer(0, large);
  reads_.Answer(1, large);
  reads_.Answer(2, last);
  EXPECT_EQ(Response().articles_size(), 3);
}

TEST_F(BatchOfArticles, IsRefusedAsSoonAsItIsLarger) {
  const ArticleAnswer large = MakeAnswer("a", 1 << 20);
  Get({"a", "b", "c", "d"});
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(status().message(), "waits");
    reads_.Answer(i, large);
  }
  EXPECT_EQ(ReasonOf(status()), "REPLY_TOO_LARGE");
  EXPECT_TRUE(reads_.questions[3].context.cancelled());
  reads_.Answer(3, large);  // to nobody
}

TEST_F(BatchOfArticles, IsAsOldAsTheOldestOfIt) {
  ArticleAnswer stale = MakeAnswer("a");
  stale.stale_age = absl::Seconds(7);
  ArticleAnswer older = MakeAnswer("b");
  older.stale_age = absl::Seconds(9);
  reads_.at_once.insert({"a", stale});
  reads_.at_once.insert({"b", older});
  reads_.at_once.insert({"c", MakeAnswer("c")});
  Get({"a", "b", "c"});
  ASSERT_TRUE(status().ok());
  EXPECT_EQ((*answer_)->stale_age, absl::Seconds(9));
}

TEST_F(BatchOfArticles, OfNothingThatIsThereIsEmpty) {
  reads_.at_once.insert({"x", ArticleNotFound("articles/x")});
  Get({"x"}, true);
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_THAT(Response().missing_names(), ElementsAre("articles/x"));
}

}  // namespace
}  // namespace content::api
