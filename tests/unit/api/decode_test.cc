#include "api/decode.h"

#include <gtest/gtest.h>

#include "api/comments.h"
#include "content/v1/admin_service.pb.h"
#include "content/v1/content_service.pb.h"
#include "google/protobuf/unknown_field_set.h"

namespace content::api {
namespace {

grpc::ByteBuffer Bytes(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

// The wire form of a request in which `from` is replaced by bytes of the same length.
grpc::ByteBuffer Spoilt(const google::protobuf::Message& request, const std::string& from,
                        const std::string& to) {
  std::string bytes = request.SerializeAsString();
  bytes.replace(bytes.find(from), from.size(), to);
  return Bytes(bytes);
}

TEST(Decode, ReadsWhatEncodeWrites) {
  v1::GetArticleRequest request;
  request.set_name("articles/x");
  request.set_min_revision(7);
  v1::GetArticleRequest read;
  ASSERT_TRUE(Decode(Encode(request), read).ok());
  EXPECT_EQ(read.SerializeAsString(), request.SerializeAsString());
}

// Whoever copies a part of a request into an answer or the database must not have to think of them.
TEST(Decode, DropsTheFieldsOfANewerContract) {
  v1::PublishArticleRequest request;
  request.mutable_article()->add_authors()->set_display_name("Ana");
  const std::string known = request.SerializeAsString();
  const auto add_unknown = [](google::protobuf::Message* message) {
    message->GetReflection()->MutableUnknownFields(message)->AddLengthDelimited(1000, "newer");
  };
  add_unknown(&request);
  add_unknown(request.mutable_article());
  add_unknown(request.mutable_article()->mutable_authors(0));
  v1::PublishArticleRequest read;
  ASSERT_TRUE(Decode(Encode(request), read).ok());
  EXPECT_EQ(read.SerializeAsString(), known);
}

TEST(Decode, NamesTheFieldsThatAreNotUtf8) {
  v1::CreateCommentRequest request;
  request.set_parent("articles/x");
  request.mutable_comment()->set_body("spoilt");
  request.mutable_comment()->mutable_author()->set_display_name("Spoilt");
  const std::string bytes = request.SerializeAsString();
  std::string bad = bytes;
  bad.replace(bad.find("spoilt"), 2, "\xff\xfe");
  bad.replace(bad.find("Spoilt"), 2, "\xc3\x28");
  v1::CreateCommentRequest read;
  const absl::Status status = Decode(Bytes(bad), read);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "comment.author.display_name is not valid UTF-8; comment.body is not valid UTF-8");
}

TEST(Decode, NamesARepeatedFieldThatIsNotUtf8) {
  v1::BatchGetArticlesRequest request;
  request.add_names("articles/x");
  request.add_names("spoilt");
  v1::BatchGetArticlesRequest read;
  EXPECT_EQ(Decode(Spoilt(request, "spoilt", "\xff\xff\xff\xff\xff\xff"), read).message(),
            "names[1] is not valid UTF-8");
}

TEST(Decode, NormalizesText) {
  v1::CreateCommentRequest request;
  request.set_parent("articles/x");
  request.mutable_comment()->mutable_author()->set_id(" u1");
  request.mutable_comment()->set_body("cafe\u0301 ");
  v1::CreateCommentRequest read;
  ASSERT_TRUE(Decode(Encode(request), read).ok());
  EXPECT_EQ(read.comment().author().id(), "u1");
  EXPECT_EQ(read.comment().body(), "caf\u00E9 ");
}

TEST(Decode, NormalizesBeforeLengthsAreChecked) {
  v1::CreateCommentRequest request;
  request.set_parent("articles/x");
  request.mutable_comment()->mutable_author()->set_id("u1");
  for (int i = 0; i < 60; ++i) {
    request.mutable_comment()->mutable_author()->mutable_display_name()->append("\u0958");
  }
  request.mutable_comment()->set_body("x");
  v1::CreateCommentRequest read;
  ASSERT_TRUE(Decode(Encode(request), read).ok());
  EXPECT_EQ(CheckCreateComment(read).status().message(),
            "comment.author.display_name has 120 characters; at most 100 are allowed");
}

TEST(Decode, RefusesWhatIsNoMessage) {
  v1::GetArticleRequest read;
  const absl::Status status = Decode(Bytes("\x0a\xff"), read);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "the request is not a content.v1.GetArticleRequest");
}

TEST(Decode, TakesAnEmptyRequestForAnEmptyMessage) {
  v1::GetArticleRequest read;
  EXPECT_TRUE(Decode(Bytes(""), read).ok());
}

}  // namespace
}  // namespace content::api
