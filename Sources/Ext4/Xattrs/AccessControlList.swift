internal import Storage

/// POSIX access control lists: ext4 keeps them shorter than getxattr(2) returns them.
enum AccessControlList {
    private static let diskVersion: UInt32 = 1
    private static let userVersion: UInt32 = 2
    /// ACL_USER and ACL_GROUP name somebody; the other tags do not.
    private static func hasID(_ tag: UInt16) -> Bool { tag == 0x02 || tag == 0x08 }

    /// From ext4's form (short entries without an ID) to getxattr's; nil when it is neither.
    static func userForm(_ disk: [UInt8]) -> [UInt8]? {
        guard disk.count >= 4, disk.little(0) == diskVersion else { return nil }
        var result = [UInt8](repeating: 0, count: 4)
        result.storeLittle(userVersion, at: 0)
        var offset = 4
        while offset < disk.count {
            guard disk.count - offset >= 4 else { return nil }
            let named = hasID(disk.little(offset))
            guard disk.count - offset >= (named ? 8 : 4) else { return nil }
            result += disk[offset..<offset + 4]
            result += named ? disk[offset + 4..<offset + 8] : [0xff, 0xff, 0xff, 0xff]
            offset += named ? 8 : 4
        }
        return result
    }

    /// From getxattr's form to ext4's; nil when it is not one that the kernel would take.
    static func diskForm(_ user: [UInt8]) -> [UInt8]? {
        guard user.count >= 4, (user.count - 4) % 8 == 0, user.little(0) == userVersion, isValid(user) else {
            return nil
        }
        var result = [UInt8](repeating: 0, count: 4)
        result.storeLittle(diskVersion, at: 0)
        for offset in stride(from: 4, to: user.count, by: 8) {
            result += user[offset..<offset + (hasID(user.little(offset)) ? 8 : 4)]
        }
        return result
    }

    /// Whether a list in getxattr's form has no entries.
    static func isEmpty(_ user: [UInt8]) -> Bool { user.count == 4 && user.little(0) == userVersion }

    /// posix_acl_valid(): owner, named users, group, named groups, mask, others, in this order; a mask where anybody is
    /// named, and no bits but r, w and x. A list without entries is none.
    private static func isValid(_ user: [UInt8]) -> Bool {
        let order: [UInt16] = [0x01, 0x02, 0x04, 0x08, 0x10, 0x20]
        var last = -1
        var found: Set<UInt16> = []
        for offset in stride(from: 4, to: user.count, by: 8) {
            let tag: UInt16 = user.little(offset)
            guard let place = order.firstIndex(of: tag), place > last || place == last && hasID(tag),
                (user.little(offset + 2) as UInt16) <= 7,
                !hasID(tag) || (user.little(offset + 4) as UInt32) != .max
            else { return false }
            last = place
            found.insert(tag)
        }
        let needsMask = found.contains(0x02) || found.contains(0x08)
        return found.isEmpty
            || found.isSuperset(of: [0x01, 0x04, 0x20]) && (!needsMask || found.contains(0x10))
    }

    /// The permissions that a list in getxattr's form gives a mode, and whether the mode says all that it says; nil
    /// when it is no list.
    static func mode(of list: [UInt8]) -> (permissions: UInt16, saysAll: Bool)? {
        guard diskForm(list) != nil else { return nil }
        var mode: UInt16 = 0
        var mask: UInt16?
        var saysAll = true
        for offset in stride(from: 4, to: list.count, by: 8) {
            let permissions: UInt16 = list.little(offset + 2)
            switch list.little(offset) as UInt16 {
            case 0x01: mode |= (permissions & 7) << 6
            case 0x04: mode |= (permissions & 7) << 3
            case 0x20: mode |= permissions & 7
            case 0x10:
                mask = permissions & 7
                saysAll = false
            default: saysAll = false
            }
        }
        if let mask { mode = mode & ~0o070 | mask << 3 }
        return (mode, saysAll)
    }
}
