internal import Patcher

/// What a new machine's firmware starts, file by file, to the kernel.
public struct BootPathReport: Encodable, Sendable {
    /// "bios" or "uefi".
    public var firmware: String
    /// What is started or read, in order, as far as it can be followed.
    public var steps: [Step]

    /// One thing that is started or read.
    public struct Step: Encodable, Sendable {
        /// Where: "p1:/EFI/BOOT/BOOTX64.EFI", a path of the guest's tree, "disk 1".
        public var place: String
        /// What: "shim", "grub", "kernel".
        public var what: String
        /// Under whose certificates it is signed; nothing is verified.
        public var signers: [String]
        /// The plan puts it there.
        public var isNew: Bool
        /// "there", "missing", "damaged" or "not-known".
        public var state: String

        private enum CodingKeys: String, CodingKey {
            case place, what, signers, state
            case isNew = "new"
        }
    }

    init(_ path: BootPath) {
        firmware = path.firmware.rawValue
        steps = path.steps.map { step in
            Step(
                place: step.place, what: step.what, signers: step.signers, isNew: step.isNew,
                state: step.fault == nil
                    ? step.isThere.map { $0 ? "there" : "missing" } ?? "not-known" : "damaged")
        }
    }
}
