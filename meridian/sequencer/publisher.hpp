// Makes frames durable and shows them: encodes, chains, signs, logs; then readers, the pool and whoever
// listens learn of them. All frames that wait are made durable together. A follower's frames come with the
// sequencer's signature and are logged as they are.
//
// Where replicas decide when a sequencer's frame may be shown (LogOptions::released), at most
// kUnreleasedFrames and kUnreleasedSize bytes, and one record more, are in the log and not shown: what the
// replicas have to have room for.
#pragma once

#include <meridian/frames/frame_log.hpp>
#include <meridian/sequencer/bounded_queue.hpp>
#include <meridian/sequencer/live_chain.hpp>
#include <meridian/sequencer/replication.hpp>
#include <meridian/sequencer/stage.hpp>

#include <atomic>

namespace meridian::sequencer {

struct ToPublish {
    SealedFramePtr frame;
    PublishedFramePtr made;  // signed already; null: it is made here
};

class Publisher final : public Stage {
public:
    struct Parts {
        frames::FrameLog& log;
        const frames::FrameSigner* signer;  // null if every frame is signed already
        LiveChain& live;
        Pool* pool;                          // null where there is none
        Replication* replication = nullptr;  // null where the log alone decides what is shown
    };
    static constexpr std::size_t kUnreleasedFrames = 256;
    static constexpr std::size_t kUnreleasedSize = 32u << 20;  // bytes of records
    // `tip` is the last frame that is in the log.
    Publisher(std::uint64_t chain_id, std::uint64_t term, const frames::FrameTip& tip,
              std::size_t queue_frames_max, Doorbell* doorbell, const Parts& parts);

    BoundedQueue<ToPublish>& queue() noexcept { return m_queue; }
    std::string_view name() const noexcept override { return "publisher"; }
    Step step() override;
    // Called when room has been made in the queue.
    void set_on_room(std::function<void()> callback) { m_on_room = std::move(callback); }
    // What keeps frames from becoming durable just now; empty if nothing does. From any thread.
    std::string fault() const;
    // The log cannot be written any more at all: the process has to be restarted.
    bool broken() const noexcept { return m_broken; }
    std::uint64_t published() const noexcept { return m_published; }

private:
    Result<PublishedFramePtr, std::string> build(const SealedFramePtr& frame) const;
    bool take();
    bool append(const PublishedFramePtr& frame);
    bool make_durable();
    void tell_logged();
    bool show();
    void set_fault(std::string why);

    std::uint64_t m_chain_id;
    std::uint64_t m_term;
    frames::FrameTip m_tip;  // of what is appended
    Parts m_parts;
    BoundedQueue<ToPublish> m_queue;
    std::function<void()> m_on_room;
    std::vector<ToPublish> m_taken;             // not appended yet
    std::deque<PublishedFramePtr> m_undurable;  // appended, not durable or not released yet
    std::size_t m_undurable_size = 0;           // bytes of their records
    std::uint64_t m_logged = 0;                 // the last frame that replication was told of
    mutable std::mutex m_fault_mutex;
    std::string m_fault;
    std::atomic<bool> m_broken = false;
    std::atomic<std::uint64_t> m_published = 0;
};

}  // namespace meridian::sequencer
