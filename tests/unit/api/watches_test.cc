#include "api/watches.h"

#include <gtest/gtest.h>

#include "unit/api/problems.h"

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
