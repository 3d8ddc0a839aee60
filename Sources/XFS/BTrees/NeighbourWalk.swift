/// A walk over a tree from the left, each level of which is a list besides: every block names those at its sides, the first and
/// the last of a level none there (xfs_btree_check_block_siblings).
struct NeighbourWalk<Number: Equatable> {
    private let none: Number
    private var last: [Int: (block: Number, right: Number)] = [:]

    /// `none` is what stands for no neighbour.
    init(_ none: Number) { self.none = none }

    /// False where the block does not follow the one before of its level, by what either says.
    mutating func take(_ block: Number, level: Int, left: Number, right: Number) -> Bool {
        let before = last.updateValue((block, right), forKey: level)
        return left == before?.block ?? none && before.map { $0.right == block } ?? true
    }

    /// Whether the last block of each level says that it is.
    var isComplete: Bool { last.values.allSatisfy { $0.right == none } }
}

/// A way down a tree, on which the block above tells the neighbours of those below it, but for the first's left one and the last's
/// right one where it is not at the tree's edge itself.
struct NeighbourPath<Number: Equatable> {
    private let none: Number
    private var left: Number?
    private var right: Number?

    /// The root has no neighbours. `none` is what stands for that.
    init(_ none: Number) {
        self.none = none
        left = none
        right = none
    }

    /// Whether the next block's neighbours are those that they have to be.
    func allows(left: Number, right: Number) -> Bool {
        (self.left ?? left) == left && (self.right ?? right) == right
    }

    /// Goes down by entry `index` of a block that has `count`.
    mutating func descend(_ index: Int, of count: Int, _ pointer: (Int) -> Number) {
        left = index > 0 ? pointer(index - 1) : left == none ? none : nil
        right = index + 1 < count ? pointer(index + 1) : right == none ? none : nil
    }
}
