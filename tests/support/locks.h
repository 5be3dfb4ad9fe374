#pragma once

#include <string>

namespace content::testing {

/// Returns SQL that locks the rows of article_state in the database of `url` that meet a condition
/// now. Names each by its key: Citus locks no rows of several buckets in one statement.
std::string LockArticles(const std::string& url, const std::string& condition = "true");

/// Ends the sessions that wait for locks. Returns their number.
int TerminateWaitersForLocks(const std::string& url);

/// Returns an SQL expression for a time that is `interval` before that in a column. Unlike
/// `column - interval`, it is immutable, which Citus requires in an UPDATE.
std::string Before(const std::string& column, const std::string& interval);

}  // namespace content::testing
