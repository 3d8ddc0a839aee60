/// An arm of a condition. Two conditions of the same words take the same arm.
struct GRUBBranch: Sendable, Equatable {
    /// The words of the first `if`.
    var condition: String
    /// 0 behind `if`, then one more behind each `elif` and `else`.
    var arm: Int

    /// A function's body, which runs when it is called.
    static let function = GRUBBranch(condition: "{}", arm: 0)

    /// It tests files, keys, or what a program finds.
    var isUncertain: Bool {
        let words = condition.split(separator: " ")
        return words.contains { ["-e", "-f", "-d", "-s"].contains($0) }
            || ["search", "keystatus", "sleep", "cpuid", "cmp", "probe", "test_key"].contains(
                words.first ?? "")
    }

    /// The arm is not taken: `if false`, or by a test of the platform.
    func isNever(on platform: String?) -> Bool {
        let words = condition.filter { !"\"'${}".contains($0) }.split(separator: " ")
        if words == ["false"] { return arm == 0 }
        if words == ["true"] { return arm > 0 }
        guard let platform, arm == 0, words.count == 5, words[0] == "[", words[1] == "grub_platform",
            ["=", "==", "!="].contains(words[2])
        else { return false }
        return (words[3] == platform) == (words[2] == "!=")
    }
}

/// An entry while its commands are read: each kernel that its branches load, with what is loaded beside it.
struct OpenGRUBEntry {
    /// What all of them share.
    var head: BootEntry
    private var kernels: [(entry: BootEntry, branches: [GRUBBranch])] = []
    /// Kernels that a later command has not replaced.
    private var loaded: [Int] = []

    /// No entry loads more.
    private static let kernelLimit = 256

    init(head: BootEntry) { self.head = head }

    /// One a kernel; the entry alone where it loads none.
    var entries: [BootEntry] { kernels.isEmpty ? [head] : kernels.map(\.entry) }

    /// Adds a kernel that is loaded in these branches; false when there are more than any real entry has.
    mutating func add(_ entry: BootEntry, _ branches: [GRUBBranch]) -> Bool {
        guard kernels.count < Self.kernelLimit else { return false }
        // Wherever the earlier one was loaded, this one takes its place.
        loaded.removeAll { index in branches.allSatisfy { kernels[index].branches.contains($0) } }
        loaded.append(kernels.count)
        kernels.append((entry, branches))
        return true
    }

    /// Changes the kernels that are loaded when these branches are taken. Before any kernel there is but the entry.
    mutating func withKernels(of branches: [GRUBBranch], _ change: (inout BootEntry) -> Void) {
        if kernels.isEmpty { change(&head) }
        for index in loaded where Self.canBothBeTaken(kernels[index].branches, branches) {
            change(&kernels[index].entry)
        }
    }

    /// What says where files lie from now on.
    mutating func add(_ setting: GRUBRootSetting, _ branches: [GRUBBranch]) {
        head.rootSettings.append(setting)
        if !kernels.isEmpty { withKernels(of: branches) { $0.rootSettings.append(setting) } }
    }

    /// What a command does to variables, for the kernels behind it.
    mutating func add(_ event: GRUBVariableEvent) { head.grub.events.append(event) }

    private static func canBothBeTaken(_ some: [GRUBBranch], _ others: [GRUBBranch]) -> Bool {
        !some.contains { branch in
            others.contains { $0.condition == branch.condition && $0.arm != branch.arm }
        }
    }
}
