/// Something that wants to be looked at, at a time.
protocol DeadlineHolder: AnyObject {
    /// Nanoseconds on the monotonic clock.
    var deadline: UInt64 { get set }
    /// Where it stands in the heap; -1 outside. Only the heap writes it.
    var heapIndex: Int { get set }
}

/// The holder whose time comes first, in a binary heap that knows where everyone stands, so that leaving costs no search.
struct DeadlineHeap<Holder: DeadlineHolder> {
    private var holders: [Holder] = []

    /// Whose time comes first.
    var first: Holder? { holders.first }

    /// Enters a holder, or moves it to a new time.
    mutating func set(_ holder: Holder, to deadline: UInt64) {
        let old = holder.deadline
        holder.deadline = deadline
        if holder.heapIndex < 0 {
            holder.heapIndex = holders.count
            holders.append(holder)
            rise(holder.heapIndex)
        } else if deadline < old {
            rise(holder.heapIndex)
        } else {
            sink(holder.heapIndex)
        }
    }

    /// Takes a holder out; of no effect if it is not in.
    mutating func remove(_ holder: Holder) {
        let index = holder.heapIndex
        guard index >= 0 else { return }
        holder.heapIndex = -1
        let last = holders.removeLast()
        guard index < holders.count else { return }
        holders[index] = last
        last.heapIndex = index
        rise(index)
        sink(last.heapIndex)
    }

    private mutating func rise(_ start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard holders[index].deadline < holders[parent].deadline else { return }
            exchange(index, parent)
            index = parent
        }
    }

    private mutating func sink(_ start: Int) {
        var index = start
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < holders.count {
                if holders[child].deadline < holders[least].deadline { least = child }
            }
            guard least != index else { return }
            exchange(index, least)
            index = least
        }
    }

    private mutating func exchange(_ one: Int, _ other: Int) {
        holders.swapAt(one, other)
        holders[one].heapIndex = one
        holders[other].heapIndex = other
    }
}
