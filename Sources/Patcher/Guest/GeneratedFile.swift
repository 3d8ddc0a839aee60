/// A file that a system makes from its own description, so that an edit of it is lost or refused.
package enum GeneratedFile: Sendable, Equatable {
    /// Of NixOS's store.
    case nix
    /// Of Guix's store.
    case guix

    /// Nil for a path of any other place.
    init?(path: String) {
        if path.hasPrefix("/nix/store/") {
            self = .nix
        } else if path.hasPrefix("/gnu/store/") {
            self = .guix
        } else {
            return nil
        }
    }

    /// Who makes it.
    package var system: String {
        switch self {
        case .nix: "NixOS"
        case .guix: "Guix System"
        }
    }

    /// What to do in the running guest instead.
    package var remedy: String {
        switch self {
        case .nix: "name the file systems by UUID or label in /etc/nixos and run nixos-rebuild boot"
        case .guix:
            "name the file systems by UUID or label in the system's declaration and run guix system reconfigure"
        }
    }
}
