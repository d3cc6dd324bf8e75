// What a node could not read back of its own data while it served: counted, told to the operator, and a
// reason not to be ready from then on. Thread-safe.
#pragma once

#include <meridian/frames/frame_log.hpp>
#include <meridian/operation/health.hpp>
#include <meridian/sequencer/clock.hpp>
#include <meridian/store/error.hpp>

#include <boost/json/object.hpp>

#include <array>

namespace meridian::operation {

class DamageWatch {
public:
    // The clock outlives this; the folder is named in what an operator is told to do.
    DamageWatch(sequencer::Clock& clock, std::string data_dir);

    // A read failed, on the calling thread. The first of each part is logged, then no more than one a minute,
    // with the number of those that were not.
    void on_store(const store::StoreError& error);
    void on_log(const frames::LogFailure& failure);

    // How many the calling thread has had, of any watch.
    static std::uint64_t failed_reads() noexcept;
    // "damaged", for each part that is; without names of files, as anybody may ask.
    std::vector<Reason> reasons() const;
    // Of each part: how many reads have failed, and the first failure in full.
    boost::json::object status() const;

private:
    struct Part {
        std::string_view name;
        std::uint64_t failures = 0;
        std::uint64_t unlogged = 0;
        std::uint64_t logged_us = 0;
        bool damaged = false;
        std::string first;
    };
    void add(Part& part, const std::string& message, bool damaged);
    boost::json::object status_of(const Part& part) const;

    sequencer::Clock& m_clock;
    std::string m_data_dir;
    mutable std::mutex m_mutex;
    Part m_store{.name = "store", .first = {}};
    Part m_log{.name = "frame log", .first = {}};
};

}  // namespace meridian::operation
