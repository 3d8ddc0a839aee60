/// Why Linux does not unpack an initramfs to its end, and what becomes of the boot.
package struct InitramfsDamage: Sendable, Equatable {
    /// What Linux does with it.
    package enum Fate: Sendable, Equatable {
        /// It starts without it: nothing of it has an /init, or all of it is thrown away.
        case unused
        /// It starts with the part that stands before the place.
        case cutOff
        /// It is not read here: its names lead elsewhere, or it unpacks to more than any real one.
        case notRead
        /// Every archive before the place is unpacked whole: Linux says that it failed, and goes on with them.
        case endsEarly
        /// The same, and what stands behind them is not read here, or replaces something of theirs: what Linux comes to
        /// is not known.
        case unknown
    }

    /// The image's path in the guest; nil where it is a part of the kernel's file.
    package var image: String?
    /// What is wrong.
    package var why: String
    /// What Linux does with it.
    package var fate: Fate

    /// Nobody can count on such a boot.
    var stopsBoot: Bool {
        switch fate {
        case .unused, .cutOff, .notRead: true
        case .endsEarly, .unknown: false
        }
    }

    /// For people.
    var sentence: Sentence {
        let name = image ?? "its initramfs"
        switch fate {
        case .unused: return "\(name) is damaged (\(why)): Linux starts without it"
        case .cutOff:
            return "\(name) is damaged (\(why)): Linux stops there, and starts with a part of it"
        case .notRead: return "\(name) is not read (\(why))"
        case .endsEarly:
            return
                "Linux does not unpack what stands at the end of \(name) (\(why)); it says so, and starts with what stands before"
        case .unknown: return "what Linux makes of the end of \(name) is not known (\(why))"
        }
    }
}
