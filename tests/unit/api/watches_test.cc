#include "api/watches.h"

#include <gtest/gtest.h>

#include "unit/api/problems.h"
#include "watch/sources.h"

namespace content::api {
namespace {

TEST(CheckWatchComments, WantsAnArticle) {
  EXPECT_EQ(Problems(CheckWatchComments({})), "parent is required");
  v1::WatchCommentsRequest request;
  request.set_parent("articles/a");
  EXPECT_EQ(Problems(CheckWatchComments(request)), "");
  request.set_after_revision(-1);
  EXPECT_EQ(Problems(CheckWatchComments(request)), "after_revision is negative");
}

TEST(CheckWatchComments, ContinuesFromARevisionOrAToken) {
  v1::WatchCommentsRequest request;
  request.set_parent("articles/a");
  request.set_resume_token(watch::CommentResumeToken({.revision = 3, .epoch = "1.2"}));
  const auto position = CheckWatchComments(request);
  ASSERT_EQ(Problems(position), "");
  EXPECT_EQ(position->key, "a");
  EXPECT_EQ(position->cursor, "3@1.2");
  request.set_after_revision(3);
  EXPECT_EQ(Problems(CheckWatchComments(request)),
            "after_revision cannot be combined with resume_token");
  request.set_resume_token("made up");
  EXPECT_EQ(Problems(CheckWatchComments(request)),
            "resume_token is not a resume_token of this service; "
            "after_revision cannot be combined with resume_token");
}

TEST(CheckWatchArticles, BeginsOrResumes) {
  v1::WatchArticlesRequest request;
  EXPECT_EQ(Problems(CheckWatchArticles(request)), "");
  request.set_skip_existing(true);
  EXPECT_EQ(Problems(CheckWatchArticles(request)), "");
  request.set_resume_token("made up");
  EXPECT_EQ(Problems(CheckWatchArticles(request)),
            "resume_token is not a resume_token of this service; "
            "skip_existing cannot be combined with resume_token");
}

}  // namespace
}  // namespace content::api
